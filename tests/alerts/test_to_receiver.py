"""From visitors who complain to a webhook, once, through a restart, and that it is over."""

from pathlib import Path

from tests.alerts.inside import running
from tests.alerts.receiver import SECRET, receiving
from tests.alerts.site import MANY, AlertSite, now_ms
from tests.alerts.test_run import MINUTE_MS, PAGE, complaints
from tests.engine.alerts.site import Site
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis

HOUR_MS = 60 * MINUTE_MS


async def test_an_incident_is_told_once_and_when_it_is_over(
    kafka: Kafka, redis_server: FoundRedis, tmp_path: Path
) -> None:
    async with receiving() as receiver:
        secret = tmp_path / "secret"
        secret.write_text(SECRET)
        site = AlertSite(kafka, redis_server.url, tmp_path, f'{MANY}{receiver.rules()}secrets = ["file:{secret}"]\n')
        await site.create()
        try:
            alerter = site.alerter()
            alerter.start()
            await site.send(complaints(Site(), 6))
            fired = await receiver.hears(PAGE, 60)
            alerter.kill()
            assert fired.project_id == "shop"
            async with running(site) as inside:
                await site.send(complaints(Site(2), 6))
                await site.has_judged_all()
                inside.skipped_ms = 3 * HOUR_MS
                over = await receiver.hears(PAGE, 60, "resolved")
                (alert,) = await site.alerts()
                assert alert.resolved_at is not None
                assert alert.resolved_at < now_ms() + 3 * HOUR_MS
        finally:
            site.stop_all()
        assert len({got.message_id for got in receiver.got}) == 2
        assert [got.state for got in receiver.got][-1] == over.state
