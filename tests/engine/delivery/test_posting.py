"""Posting to receivers that do what they want: bounded in time and memory, and never somewhere else."""

import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from engine.delivery.addresses import AllowList, read_allow_list
from engine.delivery.egress import SystemLookup
from engine.delivery.posting import MAX_POSTS_PER_HOST, Posted, Poster
from engine.delivery.retry_after import MAX_SECONDS, read_retry_after
from tests.engine.delivery.receivers import Answer, raw, receiving, saying
from tests.servers.certificates import Certificates

HERE = read_allow_list(["127.0.0.0/8"])
BODY = b'{"hello": "there"}'
OK = b"HTTP/1.1 200 OK\r\n"
FAILED = b"HTTP/1.1 500 Oh\r\n"


@pytest_asyncio.fixture
async def poster() -> AsyncIterator[Poster]:
    poster = Poster()
    yield poster
    await poster.close()


async def _post(poster: Poster, answer: Answer, *, timeout_s: float = 5.0) -> Posted:
    async with receiving(answer) as receiver:
        return await poster.post(receiver.url, BODY, {"x-a": "b"}, HERE, timeout_s=timeout_s)


async def test_a_receiver_gets_body_and_headers_once(poster: Poster) -> None:
    async with receiving(saying("204 No Content")) as receiver:
        posted = await poster.post(receiver.url, BODY, {"x-a": "b"}, HERE)
        assert posted == Posted("accepted", 204)
        assert receiver.bodies == [BODY]
        assert receiver.heads[0].startswith("POST /hook/secret-path?key=secret-key HTTP/1.1\r\n")
        assert receiver.header("x-a") == "b"
        assert receiver.header("accept-encoding") == "identity"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("200 OK", "accepted"), ("202 Accepted", "accepted"), ("301 Moved", "refused"), ("302 Found", "refused"),
        ("307 Again", "refused"), ("304 Same", "refused"), ("400 Bad", "retry"), ("401 No", "retry"),
        ("404 None", "retry"), ("410 Gone", "gone"), ("429 Slow", "retry"), ("500 Oh", "retry"), ("503 Busy", "retry"),
        ("999 Odd", "retry"),
    ],
)  # fmt: skip
async def test_what_statuses_mean(poster: Poster, status: str, outcome: str) -> None:
    posted = await _post(poster, saying(status, "Location: http://169.254.169.254/latest/meta-data/"))
    assert (posted.outcome, posted.status) == (outcome, int(status[:3]))


@pytest.mark.parametrize(
    "answer",
    [
        raw(stay=True),
        raw(b"HTTP/1.1 200", stay=True),
        raw(OK, b"x: y\r\n", stay=True),
        raw(b"HTTP/1.1 102 Processing\r\n\r\n", stay=True),
    ],
    ids=["silent", "stops in the status", "stops in the head", "processing for ever"],
)
async def test_who_does_not_finish_is_given_up(poster: Poster, answer: Answer) -> None:
    posted = await _post(poster, answer, timeout_s=0.3)
    assert (posted.outcome, posted.status) == ("retry", None)


@pytest.mark.parametrize(
    "answer",
    [
        raw(OK, again=b"a: b\r\n"),
        raw(again=100 * b"HTTP/1.1 100 Continue\r\n\r\n"),
        raw(OK, b"a: ", again=b"b" * 1_000),
        raw(b"HTTP/1.1 200 ", again=b"b" * 1_000),
        raw(OK + b"".join(b"a%d: b\r\n" % number for number in range(200)) + b"\r\n"),
        raw(b"SSH-2.0-OpenSSH_9.0\r\n", again=b"x" * 1_000),
        raw(b"\x16\x03\x01\x00", b"\x00" * 1_000),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        raw(b"HTTP/1.1 200"),
        raw(),
    ],
    ids=[
        "endless headers", "endless interim answers",
        "endless header", "endless status", "many headers", "no http", "tls", "negative length",
        "two lengths", "ends in the status", "ends at once",
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_tried_again(poster: Poster, answer: Answer) -> None:
    posted = await _post(poster, answer, timeout_s=600)
    assert (posted.outcome, posted.status) == ("retry", None)
    assert posted.note


@pytest.mark.parametrize("head", [OK, FAILED], ids=["taken", "failed"])
@pytest.mark.parametrize(
    "body",
    [
        (b"Content-Length: 999999999999\r\n\r\n", b"x" * 65_536),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4_096 + b"\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 4_096),
        (b"\r\n", b"x" * 65_536),
    ],
    ids=["long", "chunks", "a chunk's extension", "until the end"],
)
async def test_huge_answers_are_not_read(poster: Poster, head: bytes, body: tuple[bytes, bytes]) -> None:
    posted = await _post(poster, raw(head + body[0], again=body[1]))
    assert posted.outcome == ("accepted" if head == OK else "retry")
    assert len(posted.note) < 400


async def test_a_whole_answer_with_a_large_page_is_taken(poster: Poster) -> None:
    assert (await _post(poster, saying("200 OK", body=b"x" * 5_000_000))).outcome == "accepted"


async def test_what_drips_is_waited_for_a_moment_only(poster: Poster) -> None:
    posted = await _post(poster, raw(FAILED + b"Content-Length: 100\r\n\r\nbecause", stay=True))
    assert posted == Posted("retry", 500, note="answered 500: because")


async def test_a_compressed_answer_is_not_unpacked(poster: Poster) -> None:
    bomb = gzip.compress(b"\x00" * 10_000_000, 9)
    posted = await _post(poster, saying("500 Oh", "Content-Encoding: gzip", body=bomb))
    assert posted.status == 500
    assert len(posted.note) < 400


async def test_what_a_receiver_says_back_is_not_told(poster: Poster) -> None:
    said = b"no Bearer hunter-2-hunter: hunter-2-hunter, secret-path, secret-key"
    async with receiving(saying("403 No", body=said)) as receiver:
        posted = await poster.post(receiver.url, BODY, {"authorization": "Bearer hunter-2-hunter"}, HERE)
    assert posted.note == "answered 403: no ***: ***, ***, ***"


async def test_the_note_is_printable_and_names_no_secret(poster: Poster) -> None:
    said = b"no \x1b[31mentry\r\nat /hook/secret-path?key=secret-key or key=secret-key\x00" + b"\xe2\x80\xae"
    posted = await _post(poster, saying("403 No", body=said))
    assert posted.note == "answered 403: no [31mentry at *** or ***"


@pytest.mark.parametrize("where", ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://[::ffff:127.0.0.1]:{}/"])
async def test_this_machine_is_not_spoken_to_unless_opened(poster: Poster, where: str) -> None:
    async with receiving(saying("200 OK")) as receiver:
        url = where.format(receiver.port)
        posted = await poster.post(url, BODY, {})
        assert (posted.outcome, posted.status) == ("refused", None)
        assert "loopback" in posted.note
        assert not receiver.heads
        assert (await poster.post(url, BODY, {}, read_allow_list(["127.0.0.0/8", "::1"]))).outcome == "accepted"


FULL_WIDTH = "127.0.0.1".translate({number: number + 0xFEE0 for number in range(ord("0"), ord("9") + 1)})
SPELLINGS = (
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
    "017700000001", "127.000.000.001", FULL_WIDTH, "127\u30020\u30020\u30021", "%31%32%37.0.0.1", "localhost",
    "localhost.", "LOCALHOST", "\u24dbocalhost", "loc%61lhost", "0", "127.255.255.254", "[::1]", "[::]",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]", "[::1%25lo]", "[fe80::1%25lo]", "a@127.0.0.1", "public.example@127.0.0.1",
    "127.0.0.1#public.example", "127.0.0.1?.public.example",
)  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_this_machine_is_spoken_to(poster: Poster, host: str) -> None:
    async with receiving(saying("200 OK")) as receiver:
        port = f":{receiver.port}"
        at = next((place for place in (host.find("#"), host.find("?")) if place >= 0), len(host))
        posted = await poster.post(f"http://{host[:at]}{port}{host[at:]}", BODY, {})
        assert posted.outcome == "refused"
        assert not receiver.heads


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Again", "308 Moved"])
async def test_redirects_are_not_followed(poster: Poster, status: str) -> None:
    async with receiving(saying("200 OK")) as inside, receiving(saying(status, f"Location: {inside.url}")) as receiver:
        posted = await poster.post(receiver.url, BODY, {}, HERE)
        assert posted.outcome == "refused"
        assert not inside.heads


class Rebinding:
    """A name server whose answers change from one question to the next."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, _host: str, _port: int) -> list[str]:
        return self.answers.pop(0)


async def test_a_name_is_looked_up_once_and_what_was_checked_is_used() -> None:
    lookup = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    poster, only_one = Poster(lookup=lookup), read_allow_list(["127.0.0.1"])
    async with (
        receiving(saying("200 OK")) as receiver,
        receiving(saying("200 OK"), host="127.0.0.2", port=receiver.port) as inside,
    ):
        url = f"http://rebinding.example:{receiver.port}/"
        assert (await poster.post(url, BODY, {}, only_one)).outcome == "accepted"
        assert lookup.answers == [["127.0.0.2"]]
        assert receiver.header("host") == f"rebinding.example:{receiver.port}"
        second = await poster.post(url, BODY, {}, only_one)
        assert (second.outcome, len(receiver.heads), inside.heads) == ("refused", 1, [])


@pytest.mark.parametrize("others", [["169.254.169.254"], ["127.0.0.2"], ["::1"], ["nonsense"], ["fe80::1%lo"]])
async def test_one_inner_address_makes_the_name_suspicious(others: list[str]) -> None:
    poster, only_one = Poster(lookup=Rebinding(["127.0.0.1", *others])), read_allow_list(["127.0.0.1"])
    async with receiving(saying("200 OK")) as receiver:
        posted = await poster.post(f"http://mixed.example:{receiver.port}/", BODY, {}, only_one)
        assert (posted.outcome, receiver.heads) == ("refused", [])


async def test_names_without_addresses_are_tried_again() -> None:
    async def away(_host: str, _port: int) -> list[str]:
        raise OSError("away")

    assert (await Poster(lookup=away).post("http://a.example/", BODY, {})).outcome == "retry"
    assert (await Poster(lookup=Rebinding([])).post("http://a.example/", BODY, {})).outcome == "retry"


async def test_a_name_server_that_does_not_answer_holds_nobody_up() -> None:
    async def slow(host: str, _port: int) -> list[str]:
        if host == "slow.example":
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    poster = Poster(lookup=slow)
    async with receiving(saying("200 OK")) as receiver:
        held = [poster.post("http://slow.example/", BODY, {}, timeout_s=0.5) for _ in range(3 * MAX_POSTS_PER_HOST)]
        waiting = asyncio.gather(*held)
        posted = await poster.post(f"http://quick.example:{receiver.port}/", BODY, {}, HERE)
        assert posted.outcome == "accepted"
        assert not waiting.done()
        assert {posted.outcome for posted in await waiting} == {"retry"}


async def test_a_closed_port_is_tried_again(poster: Poster) -> None:
    async with receiving(saying("200 OK")) as receiver:
        url = receiver.url
    assert await poster.post(url, BODY, {}, HERE) == Posted("retry", note="no connection")


async def test_a_name_is_looked_up_by_one_thread_however_many_ask() -> None:
    lookup = SystemLookup()
    try:
        found = await asyncio.gather(*(lookup("localhost", 80) for _ in range(20)))
        assert all(addresses == found[0] for addresses in found)
        assert "127.0.0.1" in found[0] or "::1" in found[0]
        assert not lookup._running
        with pytest.raises(OSError, match=r"."):
            await lookup("no-such-name.invalid", 80)
    finally:
        lookup.close()


async def test_proxies_and_logins_of_the_environment_are_not_used(
    poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving(saying("200 OK")) as proxy, receiving(saying("200 OK")) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert (await poster.post(receiver.url, BODY, {}, HERE)).outcome == "accepted"
        assert not proxy.heads


async def test_certificates_are_verified(certificates: Certificates) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*certificates.server)
    trusting = ssl.create_default_context(cafile=str(certificates.authority))
    async with receiving(saying("200 OK"), tls=serving) as receiver:
        url = f"https://localhost:{receiver.port}/"
        lookup = Rebinding(*[["127.0.0.1"]] * 3)
        unknown = await Poster(lookup=lookup).post(url, BODY, {}, HERE)
        assert (unknown.outcome, unknown.note) == ("retry", "the receiver's certificate is not valid for it")
        assert (await Poster(lookup=lookup, tls=trusting).post(url, BODY, {}, HERE)).outcome == "accepted"
        other = f"https://other.example:{receiver.port}/"
        assert (await Poster(lookup=lookup, tls=trusting).post(other, BODY, {}, HERE)).note == unknown.note
        assert len(receiver.heads) == 1


async def test_a_receiver_that_holds_on_delays_no_other(poster: Poster) -> None:
    async with receiving(raw(stay=True)) as slow, receiving(saying("200 OK"), host="127.0.0.2") as quick:
        held = [
            asyncio.create_task(poster.post(slow.url, BODY, {}, HERE, timeout_s=60))
            for _ in range(3 * MAX_POSTS_PER_HOST)
        ]
        for _ in range(MAX_POSTS_PER_HOST):
            await slow.arrived.get()
        posted = await poster.post(f"http://127.0.0.2:{quick.port}/", BODY, {}, HERE)
        assert posted.outcome == "accepted"
        assert len(slow.heads) == MAX_POSTS_PER_HOST
        assert not any(task.done() for task in held)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        assert not poster._hosts


async def test_waiting_for_a_turn_is_part_of_the_time(poster: Poster) -> None:
    async with receiving(raw(stay=True)) as slow:
        many = [poster.post(slow.url, BODY, {}, HERE, timeout_s=0.3) for _ in range(3 * MAX_POSTS_PER_HOST)]
        assert {posted.outcome for posted in await asyncio.gather(*many)} == {"retry"}


@pytest.mark.parametrize("url", ["", "http://", "https://user:word@a.example/", "http://127.1/", "\x00", "http://[::"])
async def test_wrong_urls_are_refused(poster: Poster, url: str) -> None:
    posted = await poster.post(url, BODY, {}, AllowList())
    assert posted.outcome == "refused"
    assert "word" not in posted.note


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("said", "wait_s"),
        [
            ("0", 0.0), ("120", 120.0), (" 7 ", 7.0), ("999999999", MAX_SECONDS),
            ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_SECONDS),
        ],
    )  # fmt: skip
    def test_seconds_and_dates(self, said: str, wait_s: float) -> None:
        assert read_retry_after(said, 1_000.0) == wait_s

    @pytest.mark.parametrize(
        "said",
        [None, "", "soon", "-5", "1e9", "99999999999999999999", "٣", "Thu, 99 Foo 1970", "0x10", "1.5", "9" * 5_000,
         "Thu, 01 Jan 99999 00:00:00 GMT"],
    )  # fmt: skip
    def test_nonsense_says_nothing(self, said: str | None) -> None:
        assert read_retry_after(said, 1_000.0) is None

    @pytest.mark.parametrize("status", ["429 Slow", "503 Busy"])
    async def test_a_busy_receiver_says_when_to_come_back(self, poster: Poster, status: str) -> None:
        assert (await _post(poster, saying(status, "Retry-After: 120"))).retry_after_s == 120.0
        assert (await _post(poster, saying(status, "Retry-After: \xff"))).retry_after_s is None
        in_a_minute = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 60))
        dated = (await _post(poster, saying(status, f"Retry-After: {in_a_minute}"))).retry_after_s
        assert dated is not None
        assert 0 < dated <= 60

    async def test_others_are_not_asked(self, poster: Poster) -> None:
        assert (await _post(poster, saying("500 Oh", "Retry-After: 120"))).retry_after_s is None
