"""Tokens of programs and people, and the logins that people make with them."""

from collections.abc import Callable, Mapping
from typing import Final, cast

import msgspec

from replay.errors import Poison
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.server.access import ANY_PROJECT, Access, Scope
from replay.server.secrets import digest, is_same, new_id, new_secret

PREFIX: Final = "wince"
"""What tokens begin with, so that programs which look for leaked secrets know them."""

MAX_TOKENS: Final = 10_000
MAX_NAME_CHARS: Final = 100

KNOWN_FOR_MS: Final = 5_000
"""So long what Redis said of a token is believed, and so long may a token that was revoked still be used."""

_MAX_KNOWN: Final = 1_000


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a token. Times are epoch ms; `expires_at` 0 is never."""

    token_id: str
    name: str
    project_id: str
    scopes: tuple[Scope, ...]
    sha256: str
    created_at: int
    expires_at: int = 0

    def is_valid(self, now_ms: int) -> bool:
        """Whether it has not expired."""
        return not self.expires_at or now_ms < self.expires_at

    def access(self) -> Access:
        """Say what it allows."""
        return Access(
            who=self.token_id, name=self.name, project_id=self.project_id, scopes=frozenset(self.scopes),
            expires_at=self.expires_at,
        )  # fmt: skip


class Tokens:
    """Makes, lists, revokes and recognises tokens. They are kept in one hash in Redis; see docs/redis.md."""

    def __init__(self, redis: RedisClient, names: KeyNames, clock_ms: Callable[[], int]) -> None:
        self._redis = redis
        self._names = names
        self._clock_ms = clock_ms
        self._known: dict[str, tuple[int, Token]] = {}

    async def create(
        self, name: str, project_id: str = ANY_PROJECT, scopes: tuple[Scope, ...] = (Scope.READ,), expires_at: int = 0
    ) -> tuple[str, Token]:
        """Make a token; give its text, which nothing can tell again, and what is kept.

        Tokens that expired are forgotten. Raises Poison if a name or a moment makes no sense, or there are too many.
        """
        now_ms = self._clock_ms()
        if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
            raise Poison(f"a token has a name of 1 to {MAX_NAME_CHARS} printable characters")
        if not scopes or not project_id:
            raise Poison("a token has a project (or *) and at least one scope")
        if expires_at and expires_at <= now_ms:
            raise Poison("a token expires in the future")
        await self._make_room(now_ms)
        token_id, secret = new_id(), new_secret()
        token = Token(
            token_id=token_id, name=name, project_id=project_id, scopes=tuple(sorted(set(scopes))),
            sha256=digest(secret), created_at=now_ms, expires_at=expires_at,
        )  # fmt: skip
        await self._redis.run(Call("HSET", (self._names.tokens,), (token_id, msgspec.json.encode(token))), "list")
        return f"{PREFIX}_{token_id}_{secret}", token

    async def _make_room(self, now_ms: int) -> None:
        tokens = await self.all()
        expired = [token.token_id for token in tokens if not token.is_valid(now_ms)]
        if expired:
            await self._redis.run(Call("HDEL", (self._names.tokens,), expired), "list")
        if len(tokens) - len(expired) >= MAX_TOKENS:
            raise Poison(f"there are {MAX_TOKENS} tokens: revoke some")

    async def all(self) -> list[Token]:
        """List tokens, the latest first."""
        reply = cast("Mapping[bytes, bytes]", await self._redis.run(Call("HGETALL", (self._names.tokens,))))
        tokens = [msgspec.json.decode(text, type=Token) for text in reply.values()]
        return sorted(tokens, key=lambda token: (-token.created_at, token.token_id))

    async def revoke(self, token_id: str) -> bool:
        """Revoke a token, and with it all logins; say whether it was there. Servers know within `KNOWN_FOR_MS`."""
        self._known.pop(token_id, None)
        return bool(await self._redis.run(Call("HDEL", (self._names.tokens,), (token_id,)), "list"))

    async def recognise(self, text: str) -> Token | None:
        """Return the token of this text, if it is one that is valid."""
        prefix, _, rest = text.partition("_")
        token_id, _, secret = rest.partition("_")
        token = await self.find(token_id) if prefix == PREFIX and secret else None
        return token if token is not None and is_same(secret, token.sha256) else None

    async def find(self, token_id: str) -> Token | None:
        """Return a valid token by its id."""
        now_ms = self._clock_ms()
        asked_at, token = self._known.get(token_id, (0, None))
        if token is None or not 0 <= now_ms - asked_at < KNOWN_FOR_MS:
            token = await self._read(token_id, now_ms)
        return token if token is not None and token.is_valid(now_ms) else None

    async def _read(self, token_id: str, now_ms: int) -> Token | None:
        reply = await self._redis.run(Call("HGET", (self._names.tokens,), (token_id,)))
        self._known.pop(token_id, None)
        if reply is None:
            return None
        token = msgspec.json.decode(cast("bytes", reply), type=Token)
        if len(self._known) >= _MAX_KNOWN:
            self._known.pop(next(iter(self._known)))
        self._known[token_id] = (now_ms, token)
        return token


class Logins:
    """Who is signed in: random cookies, each of one token, for a while."""

    def __init__(self, redis: RedisClient, names: KeyNames, tokens: Tokens, lifetime_ms: int) -> None:
        self._redis = redis
        self._names = names
        self._tokens = tokens
        self._lifetime_ms = lifetime_ms

    async def open(self, token: Token, now_ms: int) -> tuple[str, int]:
        """Sign in with a token; give the cookie's value and how long it is good for (ms)."""
        left_ms = token.expires_at - now_ms if token.expires_at else self._lifetime_ms
        lifetime_ms = max(1, min(self._lifetime_ms, left_ms))
        cookie = new_secret()
        await self._redis.run(Call("SET", (self._key(cookie),), (token.token_id, "PX", lifetime_ms)), "list")
        return cookie, lifetime_ms

    async def recognise(self, cookie: str) -> Token | None:
        """Return the token that a cookie was made with, if both are valid still."""
        reply = await self._redis.run(Call("GET", (self._key(cookie),)))
        return None if reply is None else await self._tokens.find(cast("bytes", reply).decode())

    async def close(self, cookie: str) -> None:
        """Sign out."""
        await self._redis.run(Call("DEL", (self._key(cookie),)), "list")

    def _key(self, cookie: str) -> str:
        # Found by its hash: how long that takes tells nothing of the cookie.
        return self._names.login(digest(cookie))
