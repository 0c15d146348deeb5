"""What sections have in common whose programs are reached over HTTP."""

from typing import Annotated, TypeAlias

from msgspec import Meta

HttpAddress: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3})\Z",
        extra={"expected": 'HOST:PORT, such as "127.0.0.1:9464", with a port from 0 to 64999'},
    ),
]


class OverHttp:
    """A section with an `http_address`."""

    __slots__ = ()

    http_address: str

    @property
    def http_host(self) -> str:
        """Name or address on which HTTP is served."""
        return self.http_address.rpartition(":")[0].strip("[]")

    @property
    def http_port(self) -> int:
        """The port, of the first process where there are several; 0 for any free one."""
        return int(self.http_address.rpartition(":")[2])
