"""The servers of the manifests start with what is written there, as plain processes in the place of containers."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError

from replay.redis_server import Binary
from tests.deploy.files import DEPLOY, KUBERNETES, load_yaml, manifests, run
from tests.servers.kafka_admin import describe_cluster
from tests.servers.process import ServerProcess, free_port
from tests.servers.waiting import until

START_SECONDS = 60
NO_SETTINGS = {"KAFKA_HEAP_OPTS"}


def of_compose() -> dict[str, str]:
    environment: dict[str, str] = load_yaml(DEPLOY / "compose.yaml")["services"]["kafka"]["environment"]
    return environment


def of_kubernetes() -> dict[str, str]:
    found: list[dict[str, Any]] = manifests(KUBERNETES / "overlays" / "dev")
    (kafka,) = [each for each in found if (each["kind"], each["metadata"]["name"]) == ("Deployment", "kafka")]
    variables = kafka["spec"]["template"]["spec"]["containers"][0]["env"]
    return {each["name"]: each["value"] for each in variables}


def properties(environment: Mapping[str, str], folder: Path, ports: Mapping[str, int]) -> str:
    """Write a broker's settings as its image does, with other ports, a folder of ours, and our own name of the host."""
    settings = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name not in NO_SETTINGS
    }
    settings["log.dirs"] = str(folder / "data")
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    text = re.sub(r"//(kafka)?:", lambda found: "//127.0.0.1:" if found[1] else "//:", text)
    for port, other in ports.items():
        text = re.sub(rf":{port}\b", f":{other}", text)
    return text


@pytest.mark.parametrize("environment", [of_compose(), of_kubernetes()], ids=["compose", "kubernetes"])
async def test_the_broker_starts(environment: dict[str, str], jars: Path, tmp_path: Path) -> None:
    ports = {port: free_port() for port in ("9092", "9093", "9094")}
    file = tmp_path / "server.properties"
    file.write_text(properties(environment, tmp_path, ports))
    java = ("java", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-cp", f"{jars}/*")
    cluster_id = environment.get("CLUSTER_ID", "4L6g3nShT-eMCtK--X86sw")
    run(*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", file)
    broker = ServerProcess((*java, "kafka.Kafka", str(file)), tmp_path / "log")
    broker.start()
    try:
        for port in ("9092", "9094") if "OUTSIDE" in environment["KAFKA_LISTENERS"] else ("9092",):
            address = f"127.0.0.1:{ports[port]}"
            seen = await until(partial(describe_cluster, address), START_SECONDS, f"a broker at {port}")
            assert seen.cluster_id == cluster_id
    except TimeoutError:
        pytest.fail(broker.said())
    finally:
        broker.stop()


async def test_redis_starts_and_asks_for_the_password(redis_binary: Binary, tmp_path: Path) -> None:
    service = load_yaml(DEPLOY / "compose.yaml")["services"]["redis"]
    port = free_port()
    script = service["command"][-1].replace("$$", "$").replace("redis-server", redis_binary.path, 1)
    script = script.replace("--dir /data", f"--dir {tmp_path} --port {port} --bind 127.0.0.1")
    server = ServerProcess(["env", "REDIS_PASSWORD=se'cr et", *service["command"][:2], script], tmp_path / "log")
    server.start()
    try:
        async with Redis(port=port, password="se'cr et", decode_responses=True) as redis:
            await until(lambda: answers(redis), START_SECONDS, f"Redis: {server.said()}")
            told = {name: (await redis.config_get(name))[name] for name in ("maxmemory-policy", "appendonly", "save")}
            assert told == {"maxmemory-policy": "noeviction", "appendonly": "yes", "save": ""}
            assert (await redis.config_get("maxmemory"))["maxmemory"] == str(1 << 30)
        async with Redis(port=port) as stranger:
            with pytest.raises(AuthenticationError):
                await stranger.ping()
    finally:
        server.stop()


async def answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisConnectionError, OSError):
        return False
