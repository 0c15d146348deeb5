"""The description of the API holds: requests made from it, right ones and wrong ones, against the running server."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

import jsonschema
import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis import Redis
from schemathesis import GenerationMode

from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.server.access import Scope
from replay.server.openapi import describe
from replay.server.tokens import Tokens
from replay.store import StoreSettings
from tests.replay.samples import block, record, signal, write
from tests.replay.server.asking import ask
from tests.replay.server.conftest import application
from tests.servers.redis_server import FoundRedis

DOCUMENT = describe(application().state.endpoints)

WITHOUT_LOGIN = DOCUMENT | {
    "components": {"schemas": DOCUMENT["components"]["schemas"]},
    "paths": {
        path: {method: operation | {"security": []} for method, operation in operations.items()}
        for path, operations in DOCUMENT["paths"].items()
    },
}
"""The same, where requests are made from it: each is sent with a token that is valid."""

WITHOUT_END = ("/live",)
"""Streams that end when the client leaves: their own tests follow them."""


def unwrapped(result: Any) -> Any:
    return result.ok()


OPERATIONS = {
    operation.label: operation
    for operation in map(unwrapped, schemathesis.openapi.from_dict(WITHOUT_LOGIN).get_all_operations())
    if not operation.path.endswith(WITHOUT_END)
}

REAL = {"session_id": "a", "project_id": "shop"}
"""Ids that lead somewhere; half of all requests that delete nothing have them."""

EXAMPLES = 8

MAX_ADDRESS_CHARS = 60_000
"""A little less than h11 reads of a request before its body."""


def takes_something(label: str) -> bool:
    """Whether there is anything that can be wrong with a request."""
    method, _, path = label.partition(" ")
    operation = DOCUMENT["paths"][path][method.lower()]
    return bool(operation["parameters"] or "requestBody" in operation)


class Running:
    """A server in a thread of its own, over a Redis with two sessions."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.url = self.token = ""

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    async def _serve(self) -> None:
        client, limits = connect(self._redis_url), StoreSettings(key_prefix="contract")
        store = RedisStore(client, limits)
        services = Services(store=store, redis=client, settings=limits, reasons={})
        await store.apply(write(blocks=[block([0, 10], keyframe=True), block([20], sequence=1)], signals=[signal()]))
        await store.apply(write("calm", record_of=record("calm", score=0.0, tags={})))
        self.token, _ = await Tokens(client, services.names, services.clock_ms).create("test", "*", tuple(Scope))
        app = create_app(services, ServeOptions(requests_per_second=100_000, failed_logins_per_minute=1_000_000))
        config = uvicorn.Config(app, log_level="error", lifespan="off", http="h11", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        # It listens before anybody is told of it.
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:{1}".format(*listener.getsockname())
        self._ready.set()
        try:
            await self._server.serve(sockets=[listener])
        finally:
            await client.close()

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="module")
def running(redis_server: FoundRedis) -> Iterator[Running]:
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
    with Running(redis_server.url) as server:
        yield server


@pytest.mark.parametrize("label", OPERATIONS)
def test_right_requests_are_answered_as_described(label: str, running: Running) -> None:
    check(label, GenerationMode.POSITIVE, running)


@pytest.mark.parametrize("label", [label for label in OPERATIONS if takes_something(label)])
def test_wrong_requests_are_refused_as_described(label: str, running: Running) -> None:
    check(label, GenerationMode.NEGATIVE, running)


def length_of_address(case: Any, running: Running) -> int:
    sent = case.as_transport_kwargs(base_url=running.url)
    return len(requests.Request(sent["method"], sent["url"], params=sent.get("params")).prepare().url or "")


def check(label: str, mode: GenerationMode, running: Running) -> None:
    operation = OPERATIONS[label]

    # The first request that shows a fault is shown: to look for a smaller one takes minutes against a server.
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode), is_real=st.booleans())
    def try_one(case: Any, *, is_real: bool) -> None:
        if is_real and case.method != "DELETE" and mode is GenerationMode.POSITIVE:
            case.path_parameters |= {name: REAL[name] for name in case.path_parameters if name in REAL}
        if isinstance(case.body, dict) and case.body.get("format") in ["gif", "mp4"]:
            return  # films take a browser: their own tests make some
        if length_of_address(case, running) > MAX_ADDRESS_CHARS:
            return  # the server below the application closes the connection, often before its answer is read
        headers = {"Authorization": f"Bearer {running.token}", "X-Wince-Request": "1"}
        answer = case.call(base_url=running.url, headers=headers, timeout=60)
        assert answer.status_code != 500
        case.validate_response(answer)

    try_one()


def test_every_type_that_is_named_is_described() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"].rpartition("/")[2]
            part = list(part.values())
        if isinstance(part, list):
            for each in part:
                yield from references(each)

    assert set(references(DOCUMENT)) <= set(schemas)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) == len(OPERATIONS) + 2


def test_the_description_says_what_an_endpoint_needs() -> None:
    read = DOCUMENT["paths"]["/api/v1/sessions/{session_id}"]["get"]
    assert (read["security"], read["x-scope"]) == ([{"token": []}], "read")
    assert set(read["responses"]) == {"200", "400", "401", "403", "404", "429", "503"}
    shared = DOCUMENT["paths"]["/api/v1/shared/{share_token}"]["get"]
    assert shared["security"] == []
    share = DOCUMENT["paths"]["/api/v1/sessions/{session_id}/shares"]["post"]
    assert share["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ShareRequest")


async def test_it_is_served_to_everybody() -> None:
    answer = await ask(application(), "/openapi.json")
    assert (answer.status, answer.json()["paths"].keys()) == (200, DOCUMENT["paths"].keys())
