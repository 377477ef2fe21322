"""What the edge is given: built by the composition root, or by a test."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

import msgspec

from app.api.key_usage import KeyUsage
from app.api.readiness import Readiness
from app.db.pool import Pool
from app.services.admin_sessions import AdminSessions
from app.services.admin_users import AdminUsers
from app.services.api_keys import ApiKeys
from app.services.audit import Audit
from app.services.auth import Authenticator, Identity
from app.services.broadcasts import Broadcasts
from app.services.composer import Composer
from app.services.dead_letters import DeadLetters
from app.services.environments import Environments
from app.services.imports import Imports
from app.services.inbox import Inbox
from app.services.notifications import Notifications
from app.services.overview import Overviews
from app.services.preferences import Preferences
from app.services.rate_limits import RateLimits
from app.services.records import Records
from app.services.retractions import Retractions
from app.services.subscriber_states import SubscriberStates
from app.services.subscribers import Subscribers
from app.services.tokens import Tokens
from app.settings import Settings

if TYPE_CHECKING:
    from app.api.traces import Traces  # loaded only where it is asked for


class StreamSource(Protocol):
    """Where server-sent events come from; the composition root brings it."""

    async def open(self, identity: Identity, last_event_id: str | None) -> AsyncGenerator[bytes]:
        """The chunks of a new stream. Raises TooManyConnections, Unavailable."""
        ...

    def drain(self) -> None:
        """Ends every stream; no further ones are opened."""
        ...


class Services(msgspec.Struct, frozen=True, kw_only=True):
    settings: Settings
    pool: Pool
    authenticator: Authenticator
    rate_limits: RateLimits
    notifications: Notifications
    broadcasts: Broadcasts
    records: Records
    retractions: Retractions
    inbox: Inbox
    preferences: Preferences
    subscribers: Subscribers
    imports: Imports
    tokens: Tokens
    admin_sessions: AdminSessions
    admin_users: AdminUsers
    audit: Audit
    environments: Environments
    api_keys: ApiKeys
    composer: Composer
    subscriber_states: SubscriberStates
    dead_letters: DeadLetters
    overviews: Overviews
    key_usage: KeyUsage
    readiness: Readiness
    streams: StreamSource | None = None
    traces: "Traces | None" = None
