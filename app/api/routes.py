"""Every route there is, in the order in which the reference shows them."""

from collections.abc import Sequence
from typing import Final

from litestar.handlers import HTTPRouteHandler

from app.api import health
from app.api.inbox import counts, items, marks
from app.api.management import broadcasts, notifications, subscribers

HANDLERS: Final[Sequence[HTTPRouteHandler]] = (
    notifications.send_notifications,
    broadcasts.send_broadcast,
    subscribers.put_subscriber,
    items.list_items,
    counts.get_counts,
    *marks.MARK_ITEM,
    *marks.MARK_ALL,
    health.healthz,
    health.readyz,
    health.metrics,
)
