"""Every route there is, in the order in which the reference shows them."""

from collections.abc import Sequence
from typing import Final

from litestar.handlers import HTTPRouteHandler

from app.api import health
from app.api.admin import api_keys, audit, dead_letters, environments, overview, session, users
from app.api.admin import broadcasts as environment_broadcasts
from app.api.admin import notifications as environment_notifications
from app.api.admin import subscribers as environment_subscribers
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
    environments.list_environments,
    environments.create_environment,
    environments.get_environment,
    environments.update_environment,
    environments.rotate_secret,
    environments.complete_rotation,
    api_keys.list_api_keys,
    api_keys.create_api_key,
    api_keys.revoke_api_key,
    environment_notifications.list_notifications,
    environment_notifications.get_notification,
    environment_notifications.get_timeline,
    environment_broadcasts.list_broadcasts,
    environment_broadcasts.send_broadcast,
    environment_broadcasts.get_audience,
    environment_broadcasts.get_broadcast,
    environment_broadcasts.delete_broadcast,
    environment_subscribers.list_subscribers,
    environment_subscribers.look_up_subscriber,
    dead_letters.list_dead_letters,
    dead_letters.replay_dead_letter,
    dead_letters.replay_dead_letters,
    overview.get_overview,
    audit.list_entries,
    health.healthz,
    health.readyz,
    health.metrics,
)

# The same as others, on a path of their own.
UNDESCRIBED: Final[Sequence[HTTPRouteHandler]] = subscribers.NAMED_IMPORT
