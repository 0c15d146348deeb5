"""Logins, rights, certificates and clusters, with servers that insist on them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from replay.errors import Unavailable
from replay.marks import RedisMarks
from replay.redis_access import Access
from replay.redis_client import Call, RedisClient, connect
from replay.redis_keys import KeyNames
from replay.redis_server import Binary
from replay.redis_store import RedisStore
from replay.search.filters import SessionFilter
from replay.search.finding import SessionSearch
from replay.search.heatmap import HeatmapReader
from replay.search.pain import PainReader
from replay.search.saved import SavedFilters
from replay.server.tokens import Tokens
from replay.store import SessionQuery, StoreSettings
from replay.writes import Outcome
from schemas.bundle_index import Hole
from tests.replay.samples import T0, block, signal, write
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.redis_process import RedisProcess, redis_cluster
from tests.servers.waiting import until

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/redis.md").read_text("utf-8")


def documented_users() -> dict[str, str]:
    """The users of the documentation, by name, with the rules that make them."""
    return dict(re.findall(r"^```acl\nACL SETUSER (\S+) (.*)\n```", DOCUMENT, re.MULTILINE))


USERS = {"default": "off", **documented_users()}
ENGINE = Access(username="wince", password="PASSWORD")
READER = Access(username="wince-reader", password="PASSWORD")


@asynccontextmanager
async def connected(url: str, access: Access = ENGINE) -> AsyncIterator[RedisClient]:
    client = connect(url, access)
    try:
        yield client
    finally:
        await client.close()


def store_on(client: RedisClient) -> RedisStore:
    return RedisStore(client, StoreSettings(max_session_bytes=10_000, max_fates=1), lambda: T0)


async def write_all(client: RedisClient) -> None:
    """Do all that an engine does, each branch of each script included."""
    store, marks = store_on(client), RedisMarks(client, "wince")
    hole = Hole("w1", "gap", T0, 3, 3)
    blocks = [block([0], keyframe=True), block([5], sequence=1)]
    await store.apply(write(blocks=blocks, holes=[hole], signals=[signal()], deadline_ms=T0, shard="t/0"))
    await store.apply(write(base=1, blocks=[block([9], sequence=9, padding=20_000)], state=b""))
    assert await store.compact("a", 2)
    await store.apply(write(base=2, blocks=[]))
    assert await store.load("a") is not None
    assert await store.due(T0, 9, shard="t/0")
    await store.forget_deadline("t/0", "a")
    for session_id in ("gone", "lost"):
        await store.apply(write(session_id, signals=[signal(session_id=session_id)]))
        await store.note_fate(session_id, "shop", "late", 1, T0)
    await store.withdraw("gone", "excluded_user")
    claim = await marks.claim("t/0", "me")
    assert await marks.move("t/0", "me", claim.count, "log", 7)
    assert await marks.read("t/0") is not None


async def read_all(client: RedisClient) -> None:
    """Read all that a viewer reads."""
    store = store_on(client)
    assert await store.projects() == ["shop"]
    page = await store.sessions(SessionQuery("shop", limit=1))
    page = await store.sessions(SessionQuery("shop", limit=1, cursor=page.cursor))
    assert [record.session_id for record in page.sessions] == ["a"]
    assert await store.record("a") is not None
    assert await store.index("a") is not None
    assert await store.signals("a") == [signal()]
    assert [line async for line in store.bundle("a")]
    assert await store.fates("lost")


async def serve_all(client: RedisClient) -> None:
    """Do all that a server does of its own: search, count, remember."""
    names = KeyNames("wince")
    search, saved, tokens = SessionSearch(client, names), SavedFilters(client, names), Tokens(client, names, lambda: T0)
    for wanted in (
        SessionFilter(tags=("rage_click",), min_score=1),
        SessionFilter(q="a"),
        SessionFilter(user="anon-1"),
    ):
        assert (await search.find("shop", wanted, sort="duration", limit=1)).sessions
    assert (await PainReader(client, names).overview("shop", 0, T0 + 1)).counted
    assert not (await HeatmapReader(client, names).heatmap("shop", SessionFilter(page="x"), "click")).points
    made = await saved.add("shop", "calm", "max_score=0", T0)
    assert await saved.all("shop") == [made]
    assert await saved.remove("shop", made.id)
    await tokens.create("viewer", "shop")


async def denials(server: RedisProcess) -> list[object]:
    async with server.client() as admin:
        return [(entry["object"], entry["context"]) for entry in await admin.acl_log()]


class TestUsers:
    async def test_the_documented_users_may_do_what_they_have_to_and_no_more(self, redis_binary: Binary) -> None:
        async with RedisProcess(redis_binary, users=USERS) as server:
            async with connected(server.url) as engine:
                await write_all(engine)
                await read_all(engine)
                await serve_all(engine)
                assert await denials(server) == []
                for call in (Call("FLUSHALL", ()), Call("KEYS", ("*",)), Call("GET", ("other:key",))):
                    with pytest.raises(Unavailable, match="NOPERM"):
                        await engine.run(call)
            async with server.client() as admin:
                await admin.acl_log_reset()
            async with connected(server.url, READER) as reader:
                await read_all(reader)
                assert await denials(server) == []
                with pytest.raises(Unavailable, match="NOPERM"):
                    await store_on(reader).apply(write("new"))
            async with server.client() as admin:
                assert not await admin.exists("wince:session:{new}:meta")

    def test_the_documented_rights_are_those_that_are_used(self) -> None:
        sources = "".join(path.read_text("utf-8") for path in (ROOT / "replay").rglob("*.py"))
        scripts = "".join(path.read_text("utf-8") for path in (ROOT / "replay/lua").glob("*.lua"))
        used = {name.lower() for name in re.findall(r'Call\(\s*"(\w+)"', sources)}
        used |= {name.lower() for name in re.findall(r"(?:redis\.call|with_all)\(\s*'(\w+)'", scripts)}
        assert set(re.findall(r"\+(\S+)", USERS["wince"])) == used | {"eval", "evalsha", "scan"}

    async def test_a_login_and_another_database_may_be_in_the_url(self, redis_binary: Binary) -> None:
        users = {**USERS, "wince": f"{USERS['wince']} +select"}
        async with RedisProcess(redis_binary, users=users) as server:
            url = server.url.replace("redis://", "redis://wince:PASSWORD@") + "/3"
            async with connected(url, Access()) as client:
                await write_all(client)
            async with server.client() as admin:
                assert {name: found["keys"] > 0 for name, found in (await admin.info("keyspace")).items()} == {
                    "db3": True
                }

    @pytest.mark.parametrize(
        ("access", "reason"),
        [(Access(), "NOAUTH"), (Access(username="wince", password="wrong"), "WRONGPASS")],
    )
    async def test_who_is_not_let_in_waits(self, redis_binary: Binary, access: Access, reason: str) -> None:
        async with RedisProcess(redis_binary, users=USERS) as server, connected(server.url, access) as client:
            for call in (store_on(client).apply(write()), store_on(client).due(T0, 1)):
                with pytest.raises(Unavailable, match=reason):
                    await call

    async def test_a_default_user_may_have_a_password_alone(self, redis_binary: Binary) -> None:
        users = {"default": "on >word ~* +@all"}
        async with (
            RedisProcess(redis_binary, users=users) as server,
            connected(server.url, Access(password="word")) as client,
        ):
            await write_all(client)

    def test_nothing_of_a_login_is_shown(self) -> None:
        assert "PASSWORD" not in repr(ENGINE)


class TestCertificates:
    @staticmethod
    def access(certificates: Certificates, client: Certificates | None = None) -> Access:
        pair = client.client if client else None
        return Access(
            tls_ca_file=str(certificates.authority),
            tls_cert_file=str(pair.certificate) if pair else "",
            tls_key_file=str(pair.key) if pair else "",
        )

    async def test_both_sides_show_theirs(self, redis_binary: Binary, certificates: Certificates) -> None:
        async with (
            RedisProcess(redis_binary, certificates=certificates) as server,
            connected(server.url, self.access(certificates, certificates)) as client,
        ):
            await write_all(client)

    async def test_those_of_others_are_not_taken(
        self, redis_binary: Binary, certificates: Certificates, tmp_path: Path
    ) -> None:
        others = make_certificates(tmp_path)
        async with RedisProcess(redis_binary, certificates=certificates) as server:
            for access, reason in (
                (self.access(others, certificates), "CERTIFICATE_VERIFY_FAILED"),
                (Access(), "CERTIFICATE_VERIFY_FAILED"),
                # How a server refuses is seen at once, or when it has closed the connection.
                (self.access(certificates), "CERTIFICATE_REQUIRED|ConnectionError"),
                (self.access(certificates, others), "UNKNOWN_CA|ConnectionError"),
            ):
                async with connected(server.url, access) as client:
                    with pytest.raises(Unavailable, match=reason):
                        await store_on(client).apply(write())
            async with server.client() as admin:
                assert await admin.dbsize() == 0

    async def test_one_for_another_name_is_not_taken(self, redis_binary: Binary, certificates: Certificates) -> None:
        options = {"bind": "127.0.0.1 127.0.0.2"}
        async with RedisProcess(redis_binary, certificates=certificates, options=options) as server:
            url = server.url.replace("127.0.0.1", "127.0.0.2")
            async with connected(url, self.access(certificates, certificates)) as client:
                with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
                    await store_on(client).apply(write())

    def test_files_that_cannot_be_used_are_told_at_once(self, certificates: Certificates, tmp_path: Path) -> None:
        empty = tmp_path / "empty.pem"
        empty.touch()
        for access in (
            Access(tls_ca_file=str(empty)),
            Access(tls_cert_file=str(empty)),
            Access(tls_cert_file=str(certificates.client.certificate), tls_key_file=str(certificates.server.key)),
        ):
            with pytest.raises(ValueError, match="files for TLS cannot be used"):
                connect("rediss://localhost", access)


class TestClusters:
    async def test_sessions_are_spread_over_three_nodes(self, redis_binary: Binary) -> None:
        async with redis_cluster(redis_binary) as servers:
            url = servers[1].url.replace("redis://", "redis+cluster://")
            async with connected(url, Access()) as client:
                await write_all(client)
                await read_all(client)
                store = store_on(client)
                many = [write(f"s{n}", deadline_ms=T0, shard=f"t/{n % 7}") for n in range(500)]
                assert {result.outcome for result in await store.apply_many(many)} == {Outcome.APPLIED}
                assert {result.outcome for result in await store.apply_many(many)} == {Outcome.REPEATED}
                loaded = await store.load_many([each.session_id for each in many])
                assert [each.session_id for each in loaded if each] == [each.session_id for each in many]
                assert len(await store.due(T0, 100, shard="t/3")) == 71
            for server in servers:
                async with server.client() as admin:
                    assert len(await admin.keys("wince:session:*:meta")) > 100

    async def test_with_rights_and_certificates(self, redis_binary: Binary, certificates: Certificates) -> None:
        said = re.search(r"^Further rights.*`(\+cluster\S+)` and `(\+\w+)` for a cluster", DOCUMENT, re.MULTILINE)
        assert said is not None
        further = " ".join(said.groups())
        users = {name: rule if rule == "off" else f"{rule} {further}" for name, rule in USERS.items()}
        options = {"cluster-enabled": "yes", "tls-cluster": "yes"}
        access = Access(
            username="wince",
            password="PASSWORD",
            tls_ca_file=str(certificates.authority),
            tls_cert_file=str(certificates.client.certificate),
            tls_key_file=str(certificates.client.key),
        )
        async with RedisProcess(redis_binary, users=users, certificates=certificates, options=options) as server:
            async with server.client() as admin:
                await admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)  # type: ignore[no-untyped-call]

                async def is_whole() -> bool:
                    return b"state:ok" in await admin.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]

                await until(is_whole, 10, "a cluster of one node")
            async with connected(server.url.replace("rediss://", "rediss+cluster://"), access) as client:
                await write_all(client)
                await read_all(client)
            assert await denials(server) == []
