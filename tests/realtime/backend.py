"""What a customer's backend and its people do, through the services that the API calls."""

from app.contract.requests import BroadcastRequest, NotificationRequest, PreferenceEntry
from app.contract.resources import Counts
from app.db.inbox import Watermark
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services.auth import Identity
from app.services.broadcasts import Broadcasts
from app.services.inbox import Inbox
from app.services.notifications import Notifications
from app.services.preferences import Preferences
from app.services.subscribers import Subscribers
from tests.factories import Environment


class Backend:
    def __init__(self, environment: Environment, pool: Pool, publisher: Publisher) -> None:
        self.environment = environment
        self._subscribers = Subscribers(pool, publisher)
        self._notifications = Notifications(pool, publisher)
        self._broadcasts = Broadcasts(pool, publisher)
        self._preferences = Preferences(pool, publisher, self._subscribers)
        self._inbox = Inbox(pool, publisher, self._subscribers)

    async def notify(self, *subscriber_ids: str, category: str = "news") -> list[str]:
        """The new items' ids."""
        request = NotificationRequest(subscriber_ids=list(subscriber_ids), category=category)
        reply = await self._notifications.send(self.environment.id, request)
        return [sent.id for sent in reply.sent.notifications]

    async def broadcast(self, category: str = "news") -> str:
        """The new broadcast's id."""
        reply = await self._broadcasts.send(self.environment.id, BroadcastRequest(category=category))
        return reply.sent.id

    async def mark_all(self, subscriber_id: str, watermark: Watermark) -> Counts:
        return await self._inbox.mark_all(self.identity(subscriber_id), watermark=watermark)

    async def mute(self, subscriber_id: str, category: str, *, enabled: bool = False) -> None:
        change = PreferenceEntry(category=category, channel="in_app", enabled=enabled)
        await self._preferences.put(self.environment.id, subscriber_id, [change])

    async def erase(self, subscriber_id: str) -> None:
        await self._subscribers.erase(self.environment.id, subscriber_id)

    async def counts(self, subscriber_id: str) -> Counts:
        return await self._inbox.counts(self.identity(subscriber_id))

    def identity(self, subscriber_id: str) -> Identity:
        return Identity(
            self.environment.id, self.environment.slug, subscriber_id, self.environment.secret, None
        )
