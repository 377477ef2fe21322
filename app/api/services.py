"""What the edge is given: built by the composition root, or by a test."""

import msgspec

from app.api.key_usage import KeyUsage
from app.api.readiness import Readiness
from app.db.pool import Pool
from app.services.auth import Authenticator
from app.services.broadcasts import Broadcasts
from app.services.inbox import Inbox
from app.services.notifications import Notifications
from app.services.rate_limits import RateLimits
from app.services.subscribers import Subscribers
from app.settings import Settings


class Services(msgspec.Struct, frozen=True, kw_only=True):
    settings: Settings
    pool: Pool
    authenticator: Authenticator
    rate_limits: RateLimits
    notifications: Notifications
    broadcasts: Broadcasts
    inbox: Inbox
    subscribers: Subscribers
    key_usage: KeyUsage
    readiness: Readiness
