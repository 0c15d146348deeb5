"""Tokens: what is kept of them, and who is recognised."""

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from engine.cli import main
from replay.errors import Poison
from replay.server import Services
from replay.server.access import Scope
from replay.server.secrets import digest, is_same, new_secret
from replay.server.tokens import KNOWN_FOR_MS, Logins, Tokens
from tests.replay.server.conftest import NOW
from tests.replay.wires import dump
from tests.servers.redis_server import FoundRedis


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture(loop_scope="session")
async def tokens(services: Services, clock: Clock) -> Tokens:
    return Tokens(services.redis, services.names, clock)


@pytest.mark.asyncio(loop_scope="session")
class TestTokens:
    async def test_a_token_is_recognised_by_its_whole_text(self, tokens: Tokens) -> None:
        text, token = await tokens.create("support", "shop", (Scope.READ, Scope.SHARE))
        assert await tokens.recognise(text) == token
        assert (token.project_id, token.scopes) == ("shop", ("read", "share"))
        for wrong in ("", "wince", text[:-1], text + "a", text.replace("wince_", "other_"), text.upper(), f"{text} "):
            assert await tokens.recognise(wrong) is None

    async def test_its_text_is_kept_nowhere(self, tokens: Tokens, redis: Redis) -> None:
        text, token = await tokens.create("support")
        secret = text.split("_", 2)[2]
        content = repr(await dump(redis))
        assert secret not in content
        assert digest(secret) in content
        assert len(secret) == 43
        assert secret not in repr(token)

    async def test_no_two_are_alike(self, tokens: Tokens) -> None:
        made = [(await tokens.create("same"))[0] for _ in range(20)]
        assert len({text.split("_", 2)[2] for text in made}) == len({text.split("_")[1] for text in made}) == 20

    async def test_one_that_was_revoked_is_forgotten_at_once_here_and_soon_elsewhere(
        self, tokens: Tokens, services: Services, clock: Clock
    ) -> None:
        text, token = await tokens.create("support")
        elsewhere = Tokens(services.redis, services.names, clock)
        assert await elsewhere.recognise(text) == token
        assert await tokens.revoke(token.token_id)
        assert not await tokens.revoke(token.token_id)
        assert await tokens.recognise(text) is None
        clock.now_ms += KNOWN_FOR_MS
        assert await elsewhere.recognise(text) is None

    async def test_one_expires_to_the_millisecond(self, tokens: Tokens, clock: Clock) -> None:
        text, token = await tokens.create("today", expires_at=NOW + 1_000)
        clock.now_ms = NOW + 999
        assert await tokens.recognise(text) == token
        clock.now_ms = NOW + 1_000
        assert await tokens.recognise(text) is None

    async def test_those_that_expired_make_room(
        self, tokens: Tokens, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("replay.server.tokens.MAX_TOKENS", 2)
        await tokens.create("one", expires_at=NOW + 1)
        await tokens.create("two")
        with pytest.raises(Poison, match="revoke some"):
            await tokens.create("three")
        clock.now_ms += 1
        await tokens.create("three")
        assert {token.name for token in await tokens.all()} == {"two", "three"}

    @pytest.mark.parametrize(
        "wrong", [{"name": ""}, {"name": "a\nb"}, {"name": "a" * 101}, {"scopes": ()}, {"project_id": ""},
                  {"expires_at": NOW}]
    )  # fmt: skip
    async def test_one_that_makes_no_sense_is_not_made(self, tokens: Tokens, wrong: dict[str, object]) -> None:
        given: dict[str, object] = {"name": "name", **wrong}
        with pytest.raises(Poison):
            await tokens.create(**given)  # type: ignore[arg-type]
        assert await tokens.all() == []

    async def test_what_is_remembered_of_tokens_is_bounded(
        self, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("replay.server.tokens._MAX_KNOWN", 3)
        for number in range(10):
            text, _ = await tokens.create(f"n{number}")
            await tokens.recognise(text)
        assert len(tokens._known) == 3


@pytest.mark.asyncio(loop_scope="session")
class TestLogins:
    async def test_a_login_is_of_its_token(self, services: Services, tokens: Tokens) -> None:
        _, token = await tokens.create("support")
        logins = Logins(services.redis, services.names, tokens, 60_000)
        cookie, lifetime_ms = await logins.open(token, NOW)
        assert (await logins.recognise(cookie), lifetime_ms) == (token, 60_000)
        assert await logins.recognise(new_secret()) is None
        await logins.close(cookie)
        assert await logins.recognise(cookie) is None

    async def test_revoking_the_token_signs_out(self, services: Services, tokens: Tokens) -> None:
        _, token = await tokens.create("support")
        logins = Logins(services.redis, services.names, tokens, 60_000)
        cookie, _ = await logins.open(token, NOW)
        await tokens.revoke(token.token_id)
        assert await logins.recognise(cookie) is None

    async def test_a_login_ends_with_its_token_and_is_forgotten_by_redis(
        self, services: Services, tokens: Tokens, redis: Redis
    ) -> None:
        _, token = await tokens.create("support", expires_at=NOW + 5_000)
        cookie, lifetime_ms = await Logins(services.redis, services.names, tokens, 60_000).open(token, NOW)
        assert lifetime_ms == 5_000
        assert 0 < await redis.pttl(services.names.login(digest(cookie))) <= 5_000
        assert cookie not in repr(await dump(redis))


def test_a_secret_is_compared_by_its_hash() -> None:
    secret = new_secret()
    assert is_same(secret, digest(secret))
    assert not is_same(secret + "a", digest(secret))
    assert not is_same("\ud800", digest(secret))


@pytest.fixture
def address(redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", redis_server.url)
    monkeypatch.setenv("WINCE_STORE_KEY_PREFIX", "tokens-of-a-test")
    return redis_server.url


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = main(["token", *arguments])
    told = capsys.readouterr()
    return status, told.out, told.err


@pytest.mark.usefixtures("address")
class TestCommand:
    def test_make_list_and_revoke(self, capsys: pytest.CaptureFixture[str]) -> None:
        status, text, told = run(
            "create", "--name", "ci", "--project", "shop", "--scope", "read", "--scope", "delete", "--days", "7",
            capsys=capsys,
        )  # fmt: skip
        assert status == 0
        token_id, secret = text.strip().split("_", 2)[1:]
        assert (len(token_id), len(secret)) == (16, 43)
        assert token_id in told
        assert "cannot be shown again" in told
        _, listed, _ = run("list", capsys=capsys)
        assert f"{token_id}  'ci'  delete, read in project 'shop', until " in listed
        assert secret not in listed
        assert run("revoke", token_id, capsys=capsys)[0] == 0
        assert token_id not in run("list", capsys=capsys)[1]
        status, _, told = run("revoke", token_id, capsys=capsys)
        assert (status, told) == (1, "wince: there is no such token; see wince token list\n")

    def test_wrong_use(self, capsys: pytest.CaptureFixture[str]) -> None:
        for arguments in (
            ["create"],
            ["create", "--name", "a", "--scope", "all"],
            ["create", "--name", "a", "--days", "0"],
        ):
            with pytest.raises(SystemExit, match="2"):
                main(["token", *arguments])
        capsys.readouterr()
        status, out, told = run("create", "--name", "\x1b[31m", capsys=capsys)
        assert (status, out) == (1, "")
        assert "printable" in told

    def test_redis_away(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("WINCE_STORE_REDIS_URL", "unix:///nowhere/redis.sock")
        assert run("list", capsys=capsys)[0] == 1
