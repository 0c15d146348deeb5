"""A sender in a process of its own, to be killed: its arguments are the URL of Redis and a rules file."""

import asyncio
import sys
from pathlib import Path

from engine.alerts.delivery.assembly import make_sender
from engine.alerts.delivery.endpoints import open_routes
from engine.alerts.delivery.metrics import DeliveryMeters
from engine.alerts.rules_file import read_rules
from engine.delivery.posting import Poster
from engine.operate.programs import ALERT_METERS
from engine.operate.registry import Meters
from engine.settings import Settings, StoreSettings
from replay.redis_client import connect


async def main(redis_url: str, rules_file: str, secret: str) -> None:
    client = connect(redis_url)
    observer = DeliveryMeters(Meters("0", ALERT_METERS))
    sender = make_sender(Settings(store=StoreSettings(redis_url=redis_url)), client, Poster(), observer)
    sender.use(open_routes(read_rules(Path(rules_file)), {"SECRET": secret}, rules_file))
    await sender.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
