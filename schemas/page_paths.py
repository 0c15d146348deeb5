"""Folding addresses of pages: `/product/123` and `/product/456` are visits of one page, `/product/*`.

The rule is part of what others rely on (listings, overviews, alerts): `docs/redis.md` states it.
"""

import re
from typing import Final

FOLDED: Final = "*"
"""Stands for a part of a path that names one thing of many."""

MAX_SEGMENTS: Final = 32
"""Parts of a path beyond these become one `*`."""

MAX_SEGMENT_CHARACTERS: Final = 80
"""A longer part of a path names no page of many."""

_ID: Final = re.compile(
    r"(?=.*\d)[\d_.~-]+"  # digits, and what parts them: 123, 2026-11-22
    r"|.*\d{4}.*"  # four digits in a row: order-10023, blue-shirt-48213
    r"|(?=.*\d)[0-9A-Fa-f-]{8,}"  # hexadecimal: commits, UUIDs
    r"|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{8,}"  # random letters and digits: dQw4w9WgXcQ
    r"|(?=.*\d)[A-Za-z0-9_]{20,}"  # the same in small letters
    r"|.*\*\*\*.*"  # masked
    r"|.*%.*%.*%.*"  # text in another script, or that was typed
)
_MARK: Final = re.compile(r"[\d%*]")
"""Without one of these a part of a path of usual length is no id."""


def page_of(url: str) -> str:
    """Cut query and fragment off a URL: a page is found without them."""
    return url.partition("#")[0].partition("?")[0]


def fold_page(url: str) -> str:
    """Return the page a masked URL is a visit of: without query and fragment, and with `*` for what looks like an id.

    A part of the path looks like an id if it holds four digits in a row; is made of digits and what parts them; of
    eight or more hexadecimal digits with a number among them (also with dashes); of eight or more letters of both cases
    and digits, or 20 or more letters and digits; is longer than 80 characters; was masked (`***`); or has three or more
    percent-encoded bytes. Folding a folded page changes nothing.
    """
    page = page_of(url)
    origin, path = _split(page)
    if not path:
        return page
    segments = path.split("/")
    folded = [FOLDED if _is_id(segment) else segment for segment in segments[:MAX_SEGMENTS]]
    return origin + "/".join([*folded, FOLDED] if len(segments) > MAX_SEGMENTS else folded)


def _is_id(segment: str) -> bool:
    if len(segment) > MAX_SEGMENT_CHARACTERS:
        return True
    # Most parts are plain words.
    return not segment.isalpha() and _MARK.search(segment) is not None and _ID.fullmatch(segment) is not None


def _split(page: str) -> tuple[str, str]:
    """Part origin and path; the origin of a path alone is empty."""
    scheme, separator, rest = page.partition("://")
    if not separator:
        return "", page
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path
