"""Which network addresses may be spoken to: what kind each is, in every spelling, and what an allow-list opens.

Kinds follow the registries of special-purpose addresses (https://www.iana.org/assignments/iana-ipv4-special-registry
and iana-ipv6-special-registry). The table is ours: what `ipaddress` calls global differs between versions of Python.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal, NamedTuple, TypeAlias

from engine.delivery.names import read_name

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

AddressKind = Literal[
    "public",
    "private",
    "loopback",
    "shared",
    "link_local",
    "metadata",
    "multicast",
    "unspecified",
    "reserved",
    "tunnel",
]

_OPENED_BY_NAME: Final = frozenset({"private", "loopback", "shared"})
_OPENED_BY_NETWORK: Final = _OPENED_BY_NAME | {"link_local", "reserved", "tunnel"}

_METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip
"""Where clouds tell machines their credentials: Amazon (also for tasks and pods), Google, Azure, Alibaba, Oracle."""

_SPECIAL: Final[Mapping[AddressKind, tuple[str, ...]]] = {
    "unspecified": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared": ("100.64.0.0/10",),
    "link_local": ("169.254.0.0/16", "fe80::/10"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    # 6to4 relays; IPv4-compatible, IPv4-translated, local NAT64, Teredo, 6to4: an IPv4 address may be inside.
    "tunnel": ("192.88.99.0/24", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
    "reserved": (
        "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "3fff::/20",
    ),
}  # fmt: skip
_KINDS: Final[tuple[tuple[Network, AddressKind], ...]] = tuple(
    [(ip_network(text), kind) for kind, texts in _SPECIAL.items() for text in texts]
)
"""In this order: the first that holds an address tells its kind."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_UNICAST: Final = IPv6Network("2000::/3")
_ISATAP_MASK: Final = 0xFDFFFFFF
_ISATAP: Final = 0x00005EFE


def kind_of_address(address: Address) -> AddressKind:
    """Say what kind an address is; addresses with others inside are what those are, or a tunnel."""
    address = plain(address)
    if address in _METADATA:
        return "metadata"
    if isinstance(address, IPv6Address):
        return _kind_v6(address)
    return _listed(address) or "public"


def _listed(address: Address) -> AddressKind | None:
    return next((kind for network, kind in _KINDS if address in network), None)


def plain(address: Address) -> Address:
    """Take an IPv4 address out of the IPv6 address that is only another spelling of it (`::ffff:10.0.0.1`)."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _kind_v6(address: IPv6Address) -> AddressKind:
    if address.scope_id is not None:
        return "link_local"
    if address in _NAT64:
        inside = IPv4Address(int(address) & 0xFFFFFFFF)
        return "public" if kind_of_address(inside) == "public" else "tunnel"
    listed = _listed(address)
    if listed is not None:
        return listed
    if (int(address) >> 32) & _ISATAP_MASK == _ISATAP:
        return "tunnel"
    return "public" if address in _UNICAST else "reserved"


class AllowList(NamedTuple):
    """What somebody opened on purpose: names of hosts, and networks (single addresses are networks of one).

    A name opens private, shared and loopback addresses it resolves to; a network also link-local and reserved ones in
    it. Nothing opens metadata services, multicast and unspecified addresses.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def opens(self, host: str, address: Address) -> bool:
        """Say whether an address that is not public may be spoken to, as an address of `host`."""
        kind, address = kind_of_address(address), plain(address)
        if kind in _OPENED_BY_NAME and host in self.hosts:
            return True
        return kind in _OPENED_BY_NETWORK and any(address in network for network in self.networks)


def read_allow_list(entries: Iterable[str]) -> AllowList:
    """Read names, addresses and networks (`10.0.0.0/8`). Raises ValueError, with the entry, for what is none."""
    hosts: set[str] = set()
    networks: list[Network] = []
    for entry in entries:
        try:
            networks.append(ip_network(entry))
        except ValueError:
            hosts.add(read_name(entry))
    return AllowList(frozenset(hosts), tuple(networks))


def refusal(host: str, address: str, allow: AllowList) -> str | None:
    """Say why an address, as the system is about to use it, may not be spoken to; nothing if it may."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "no numeric address"
    kind = kind_of_address(parsed)
    return None if kind == "public" or allow.opens(host, parsed) else kind.replace("_", "-")
