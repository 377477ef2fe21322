"""Every route there is, in the order in which the reference shows them."""

from collections.abc import Sequence
from typing import Final

from litestar.handlers import HTTPRouteHandler

from app.api import health
from app.api.admin import audit, session, users
from app.api.inbox import archive_read, counts, items, marks, stream
from app.api.inbox import preferences as own_preferences
from app.api.management import (
    broadcasts,
    imports,
    notifications,
    preferences,
    records,
    retractions,
    subscribers,
    tokens,
)
from app.api.management import marks as marks_by_backend

HANDLERS: Final[Sequence[HTTPRouteHandler]] = (
    notifications.send_notifications,
    records.list_notifications,
    retractions.delete_batch,
    records.get_notification,
    retractions.delete_notification,
    records.get_timeline,
    *marks_by_backend.MARK_NOTIFICATION,
    broadcasts.send_broadcast,
    records.list_broadcasts,
    records.get_broadcast,
    retractions.delete_broadcast,
    subscribers.list_subscribers,
    imports.import_subscribers,
    subscribers.put_subscriber,
    subscribers.get_subscriber,
    subscribers.delete_subscriber,
    tokens.mint_token,
    preferences.get_preferences_of,
    preferences.put_preferences_of,
    items.list_items,
    items.get_item,
    counts.get_counts,
    *marks.MARK_ITEM,
    *marks.MARK_ALL,
    archive_read.archive_read,
    own_preferences.get_preferences,
    own_preferences.put_preferences,
    own_preferences.list_categories,
    stream.follow_inbox,
    session.log_in,
    session.log_out,
    session.get_me,
    users.list_users,
    users.create_user,
    users.update_user,
    users.delete_user,
    users.set_password,
    audit.list_entries,
    health.healthz,
    health.readyz,
    health.metrics,
)

# The same as others, on a path of their own.
UNDESCRIBED: Final[Sequence[HTTPRouteHandler]] = subscribers.NAMED_IMPORT
