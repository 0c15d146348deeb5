"""The guard's decisions: no spelling of an address that is not public gets through."""

import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.delivery.addresses import AllowList, kind_of_address, read_allow_list, refusal
from engine.delivery.names import Refused, read_name, read_url

NOTHING = AllowList()

PUBLIC = ["1.1.1.1", "93.184.216.34", "192.0.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
NOT_PUBLIC = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "::1": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:7f00:1": "loopback",
    "::127.0.0.1": "tunnel",
    "::ffff:0:127.0.0.1": "tunnel",
    "64:ff9b::127.0.0.1": "tunnel",
    "64:ff9b::a9fe:a9fe": "tunnel",
    "64:ff9b:1::1.1.1.1": "tunnel",
    "2002:7f00:1::": "tunnel",
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "tunnel",
    "2606:4700::5efe:7f00:1": "tunnel",
    "2606:4700::200:5efe:7f00:1": "tunnel",
    "10.0.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "fd12::1": "private",
    "fec0::1": "private",
    "100.64.0.1": "shared",
    "169.254.1.1": "link-local",
    "fe80::1": "link-local",
    "fe80::1%1": "link-local",
    "2606:4700::1%1": "link-local",
    "169.254.169.254": "metadata",
    "::ffff:169.254.169.254": "metadata",
    "100.100.100.200": "metadata",
    "168.63.129.16": "metadata",
    "fd00:ec2::254": "metadata",
    "0.1.2.3": "unspecified",
    "::": "unspecified",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "255.255.255.255": "reserved",
    "240.0.0.1": "reserved",
    "198.18.0.1": "reserved",
    "203.0.113.5": "reserved",
    "2001:db8::1": "reserved",
    "4000::1": "reserved",
    "5f00::1": "reserved",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert refusal("receiver.example", address, NOTHING) is None


@pytest.mark.parametrize(("address", "why"), NOT_PUBLIC.items())
def test_all_others_are_refused_with_their_kind(address: str, why: str) -> None:
    assert refusal("receiver.example", address, NOTHING) == why


@given(st.ip_addresses(v=4))
@example(IPv4Address("192.88.99.1"))
def test_what_python_calls_not_global_is_never_public(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert kind_of_address(address) != "public"


@given(st.ip_addresses(v=6))
@example(IPv6Address("2001:20::1"))
def test_what_python_calls_not_global_is_never_public_in_six(address: IPv6Address) -> None:
    is_inner = not address.is_global or address.is_multicast or address.is_site_local
    if is_inner and address.ipv4_mapped is None:
        assert kind_of_address(address) != "public"


SPECIAL_V4 = st.sampled_from(["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "100.64.0.0/10"])


@given(SPECIAL_V4.flatmap(lambda network: st.ip_addresses(network=network)))
def test_no_spelling_of_an_inner_address_is_public(address: IPv4Address | IPv6Address) -> None:
    number = int(address)
    spellings = [
        f"::ffff:{address}", f"::{address}", f"::ffff:0:{address}", f"64:ff9b::{address}", f"64:ff9b:1::{address}",
        str(IPv6Address((0x2002 << 112) | (number << 80))),
        str(IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))),
        f"2606:4700::5efe:{address}",
    ]  # fmt: skip
    for spelling in (str(address), *spellings):
        assert refusal("receiver.example", spelling, NOTHING) is not None, spelling


def _hosts(number: int) -> list[str]:
    """Spell an IPv4 address as C libraries and browsers read them."""
    a, b, c, d = number.to_bytes(4, "big")
    return [
        str(number), hex(number), oct(number).replace("o", ""), f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{c << 8 | d}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a}.{b}.{c}.{d}", f"{a}.{b}.{c}.{d}.",
        f"{a:03}.{b:03}.{c:03}.{d:03}", "".join(chr(ord(x) + 0xFEE0) if x != "." else "。" for x in f"{a}.{b}.{c}.{d}"),
        f"[::ffff:{a}.{b}.{c}.{d}]", f"[::{a}.{b}.{c}.{d}]", f"[64:ff9b::{a}.{b}.{c}.{d}]",
        f"[::ffff:{a}.{b}.{c}.{d}%25lo]",
        "".join(f"%{ord(x):02x}" for x in f"{a}.{b}.{c}.{d}"),
    ]  # fmt: skip


@given(SPECIAL_V4.flatmap(lambda network: st.ip_addresses(network=network)))
@example(IPv4Address("127.0.0.1"))
@example(IPv4Address("169.254.169.254"))
def test_no_spelling_in_a_url_leads_inside(address: IPv4Address | IPv6Address) -> None:
    for host in _hosts(int(address)):
        try:
            destination = read_url(f"http://{host}:8080/hook")
        except Refused:
            continue
        found = socket.getaddrinfo(destination.url.raw_host, 8080, flags=socket.AI_NUMERICHOST)
        assert all(refusal(destination.host, str(sockaddr[0]), NOTHING) for *_, sockaddr in found), host


@given(st.text(max_size=60))
def test_any_text_is_a_destination_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://{text}/hook"):
        try:
            destination = read_url(url)
        except Refused:
            continue
        assert destination.url.scheme in {"http", "https"}
        assert destination.url.raw_host == destination.host
        assert destination.url.user is None
        try:
            ip_address(destination.host)
        except ValueError:
            assert read_name(destination.host) == destination.host


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/", "//a.example/", "a.example", "", "http://",
        "http://user@a.example/", "http://user:pass@a.example/", "http://@a.example/", "http://a.example@b.example/",
        "http://a.example:22/", "http://a.example:25/", "http://a.example:6379/", "http://a.example:0/",
        "http://a.example:70000/", "http://a b.example/", "http://a.example/\r\nx: y", "http://a.example\\@b.example/",
        "http://-a.example/", "http://a..example/", "http://[fe80::1%25eth0]/", f"http://a.example/{'x' * 2_000}",
    ],
)  # fmt: skip
def test_urls_that_are_refused_for_what_they_are(url: str) -> None:
    with pytest.raises(Refused):
        read_url(url)


def test_hosts_are_read_as_they_are_used() -> None:
    assert read_url("https://Bücher.EXAMPLE./x?y#z").host == "xn--bcher-kva.example"
    assert str(read_url("https://A.example/x?y=1#z").url) == "https://a.example/x?y=1"
    assert read_url("http://[::1]:8080/").host == "::1"


class TestAllowList:
    def test_a_name_opens_inner_addresses_of_that_name_only(self) -> None:
        allow = read_allow_list(["Receiver.svc."])
        for address in ("10.1.2.3", "127.0.0.1", "100.64.0.1", "fd00::1", "::ffff:10.1.2.3"):
            assert refusal("receiver.svc", address, allow) is None
            assert refusal("other.svc", address, allow) is not None

    @pytest.mark.parametrize("address", ["169.254.169.254", "169.254.1.1", "0.0.0.1", "224.0.0.1", "fd00:ec2::254"])
    def test_a_name_opens_nothing_else(self, address: str) -> None:
        assert refusal("receiver.svc", address, read_allow_list(["receiver.svc"])) is not None

    def test_a_network_opens_what_is_in_it_in_other_spellings_too(self) -> None:
        allow = read_allow_list(["10.0.0.0/8", "169.254.1.1", "fd00::/16"])
        for address in ("10.1.2.3", "::ffff:10.1.2.3", "169.254.1.1", "fd00::5"):
            assert refusal("any.example", address, allow) is None
        assert refusal("any.example", "11.0.0.1", allow) is None
        assert refusal("any.example", "192.168.0.1", allow) is not None
        assert refusal("any.example", "64:ff9b::10.1.2.3", allow) is not None

    @pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "0.0.0.1", "255.0.0.0", "224.0.0.1"])
    def test_nothing_opens_metadata_multicast_and_unspecified(self, address: str) -> None:
        allow = read_allow_list(["0.0.0.0/0", "::/0"])
        is_open = refusal("any.example", address, allow) is None
        assert is_open == (kind_of_address(ip_address(address)) == "reserved")

    @pytest.mark.parametrize("entry", ["", "a b", "10.0.0.1/8", "127.1", "http://x", "*.example", "300.0.0.1", "x/8"])
    def test_what_is_neither_is_told(self, entry: str) -> None:
        with pytest.raises(ValueError, match=f"^{re.escape(entry)}$"):
            read_allow_list([entry])


def test_what_is_no_numeric_address_is_refused() -> None:
    assert refusal("a.example", "localhost", AllowList(networks=(ip_network("0.0.0.0/0"),))) == "no numeric address"


def test_the_table_covers_what_python_knows_as_private() -> None:
    known = ipaddress.IPv4Network("0.0.0.0/0")
    assert [kind_of_address(known[0]), kind_of_address(known[-1])] == ["unspecified", "reserved"]
