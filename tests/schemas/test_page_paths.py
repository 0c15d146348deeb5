"""Addresses of one page fold into one; what names a page stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.page_paths import MAX_SEGMENTS, fold_page, page_of


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://shop.test/product/123", "https://shop.test/product/*"),
        ("https://shop.test/product/123/?size=4#top", "https://shop.test/product/*/"),
        ("https://shop.test/blog/2026/11/how-to-12", "https://shop.test/blog/*/*/how-to-12"),
        ("https://shop.test/order-10023/edit", "https://shop.test/*/edit"),
        ("https://shop.test/u/***?q=***", "https://shop.test/u/*"),
        ("/a/550e8400-e29b-41d4-a716-446655440000/b", "/a/*/b"),
        ("/c/b03913d5", "/c/*"),
        ("/watch/dQw4w9WgXcQ", "/watch/*"),
        ("/t/abcdefgh1234567890ijklm", "/t/*"),
        ("/s/%E4%BD%A0", "/s/*"),
        ("/s/" + "long-" * 20, "/s/*"),
    ],
)
def test_what_looks_like_an_id_is_folded(url: str, page: str) -> None:
    assert fold_page(url) == page


@pytest.mark.parametrize(
    "page",
    [
        "", "about:blank", "https://shop.test", "https://shop.test/", "https://shop.test:8443/cart", "/v2/users",
        "/iphone-15", "/checkout/step1", "/i18n", "/deadbeef", "/Facebook", "/caf%C3%A9", "https://10.0.0.1/cart",
        "/a_long_name_of_a_page_without_any_number",
    ],
)  # fmt: skip
def test_what_names_a_page_stays(page: str) -> None:
    assert fold_page(page) == page


def test_parts_beyond_the_last_are_one() -> None:
    assert fold_page("/" + "/".join("a" * (MAX_SEGMENTS - 1))) == "/" + "/".join("a" * (MAX_SEGMENTS - 1))
    assert fold_page("/" + "/".join("a" * MAX_SEGMENTS)) == "/" + "/".join(["a"] * (MAX_SEGMENTS - 1)) + "/*"


@given(st.text() | st.from_regex(r"(https://s\.test)?(/[a-zA-Z0-9%*_-]{0,30}){0,40}(\?x)?(#y)?", fullmatch=True))
def test_folding_twice_is_folding_once(url: str) -> None:
    folded = fold_page(url)
    assert fold_page(folded) == folded
    assert page_of(folded) == folded
    assert len(folded) <= len(url) + 1
