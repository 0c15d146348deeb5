"""The declarations of `[serve]`: where the HTTP API and the viewer are served, to whom, and how much of it."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from engine.settings._http import HttpAddress, OverHttp
from engine.settings._types import Count, Duration
from engine.settings._units import DAY_MS, HOUR_MS, SECOND_MS
from engine.settings._worker_section import LogFormat, LogLevel

LoginKind: TypeAlias = Literal["token", "none"]

HostName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A(\*|[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*)\Z",
        extra={"expected": 'a host name in lower case or an address, without port, such as "replay.example", or "*"'},
    ),
]
Origin: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\Ahttps?://[a-z0-9.-]+(:[0-9]{1,5})?\Z",
        extra={"expected": 'an origin, such as "https://support.example"'},
    ),
]
Proxy: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A[0-9a-fA-F:.]+(/[0-9]{1,3})?\Z",
        extra={"expected": 'an address or a network, such as "10.0.0.0/8"'},
    ),
]
ReplaySource: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A[^ ]{1,1024} https?://(\*\.)?[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){0,10}(:[0-9]{1,5})?\Z",
        extra={"expected": 'a project id and an origin, such as "shop https://cdn.shop.example"'},
    ),
]

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ServeSettings(OverHttp, Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the HTTP API and the viewer are served, to whom, and how much of it."""

    http_address: Annotated[
        HttpAddress,
        Meta(
            description="Where the API, the viewer, metrics, `/livez` and `/readyz` are served; in a container "
            "`0.0.0.0:8320`. With port 0 any free one is taken.",
        ),
    ] = "127.0.0.1:8320"
    public_url: Annotated[
        str,
        Meta(
            pattern=r"\A(https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?)?\Z",
            description="Where people find the viewer, such as `https://replay.example`: links in alerts begin with "
            "it. Without it alerts have none.",
            extra={"expected": 'an origin, such as "https://replay.example", or nothing'},
        ),
    ] = ""
    login: Annotated[
        LoginKind,
        Meta(
            description="`token`: requests need a token of `wince token`, pages a login with one. `none`: everybody "
            "who reaches the server may do everything; possible on a loopback address only."
        ),
    ] = "token"
    allowed_hosts: Annotated[
        tuple[HostName, ...],
        Meta(
            description="Names a request may call the server by, besides the host of `serve.http_address` and, on a "
            'loopback address, `localhost`; requests for others are refused. `["*"]` allows all, with a login only.'
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[Origin, ...],
        Meta(description="Origins whose pages may use the API with a token; pages of others cannot read answers."),
    ] = ()
    replay_sources: Annotated[
        tuple[ReplaySource, ...],
        Meta(
            description="Where replays of a project may load pictures, fonts, media and style sheets from: project id "
            "and origin. These hosts learn when who watches a session. By default replays load nothing."
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[Proxy, ...],
        Meta(
            description="Addresses or networks of proxies in front, whose `X-Forwarded-For` and `X-Forwarded-Proto` "
            "are believed. Without it all requests through a proxy count as of one address."
        ),
    ] = ()
    tls_cert_file: Annotated[
        str, Meta(description="PEM file of the certificate to serve HTTPS with, where no proxy in front does that.")
    ] = ""
    tls_key_file: Annotated[
        str, Meta(description="PEM file of that certificate's key, where it is not in the same file.")
    ] = ""
    max_requests_per_second: Annotated[
        Count,
        Meta(
            description="Requests a second that are taken of one token, and of one address; five times as many may "
            "come at once. Beyond, the answer is 429."
        ),
    ] = 100
    max_failed_logins_per_minute: Annotated[
        Count, Meta(description="Wrong tokens and share links a minute that are answered to one address.")
    ] = 10
    max_connections: Annotated[Count, Meta(description="Most connections at a time; beyond, the answer is 503.")] = (
        1_000
    )
    max_deletions_per_request: Annotated[
        Count, Meta(description="Most sessions that one request may delete; `wince delete` has no limit.")
    ] = 10_000
    max_audit_entries: Annotated[
        Count, Meta(description="About how many entries the audit log of a project keeps, the latest.")
    ] = 100_000
    login_lifetime_ms: Annotated[
        Duration, Meta(description="A browser is signed in for this long, or until its token expires.")
    ] = field(default=12 * HOUR_MS, name="login_lifetime")
    max_share_lifetime_ms: Annotated[Duration, Meta(description="Longest time a share link can be good for.")] = field(
        default=30 * DAY_MS, name="max_share_lifetime"
    )
    tell_readers: Annotated[
        bool,
        Meta(
            description="Whether deletions are told on `kafka.activity_topic`, as `wince delete` does; if Kafka is "
            "away then, nothing is deleted."
        ),
    ] = True
    drain_timeout_ms: Annotated[
        Duration, Meta(description="Time for requests under way to end when the server is asked to stop.")
    ] = field(default=20 * SECOND_MS, name="drain_timeout")
    log_level: Annotated[LogLevel, Meta(description="Least level that is logged.")] = "info"
    log_format: Annotated[
        LogFormat, Meta(description="`json`, one object a line, or `console` for reading at a terminal.")
    ] = "json"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.http_host.lower() in LOOPBACK_HOSTS
