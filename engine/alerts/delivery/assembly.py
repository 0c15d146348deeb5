"""Puts a sender together, as the settings say."""

from collections.abc import Callable

from engine.alerts.delivery.attempt import Attempter
from engine.alerts.delivery.links import MomentLinks, ViewerSettings
from engine.alerts.delivery.outbox import Outbox
from engine.alerts.delivery.sender import DeliveryObserver, Sender, wall_clock_ms
from engine.alerts.names import AlertNames
from engine.delivery.posting import Poster
from engine.settings import Settings
from replay.redis_client import RedisClient


def make_sender(settings: Settings, client: RedisClient, poster: Poster, observer: DeliveryObserver) -> Sender:
    """Make who sends the messages of this installation. Give it routes (`use`), then `run` it."""
    outbox = Outbox(client, AlertNames(settings.store.key_prefix))
    return Sender(outbox, make_attempter(settings, client, poster), observer)


def make_attempter(
    settings: Settings, client: RedisClient, poster: Poster, clock_ms: Callable[[], int] = wall_clock_ms
) -> Attempter:
    """Make who sends single messages."""
    serve = settings.serve
    viewer = ViewerSettings(serve.public_url, serve.max_share_lifetime_ms, serve.max_audit_entries)
    return Attempter(poster, MomentLinks(client, settings.store.key_prefix, viewer, clock_ms), clock_ms)
