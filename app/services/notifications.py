"""Sending notifications: fan-out on write, once per idempotency key."""

from uuid import UUID

import msgspec

from app.contract import ids
from app.contract.errors import Conflict, InvalidRequest, Unavailable
from app.contract.requests import NotificationRequest
from app.contract.resources import Sent, SentNotification
from app.db.notifications import Draft, Verdict
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.security import keys
from app.services.send_queue import SendQueue


class Reply(msgspec.Struct, frozen=True):
    """created False: the key was known, and this is the first answer again."""

    created: bool
    sent: Sent


class Notifications:
    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        self._queue = SendQueue(pool, publisher.offer)
        self._publisher = publisher

    async def send(self, environment_id: UUID, request: NotificationRequest) -> Reply:
        """One notification per recipient, all or none, and their hints right after the commit.

        Raises InvalidRequest (a time that the clock rules out), Conflict, Unavailable.
        """
        draft = Draft(
            environment_id=environment_id,
            idempotency_key=request.idempotency_key or keys.new_idempotency_key(),
            fingerprint=request.fingerprint(),
            recipients=request.recipients,
            category=request.category,
            payload=request.payload_text,
            deliver_at=request.deliver_at,
            expires_at=request.expires_at,
        )
        outcome = await self._queue.send(draft)
        refuse(outcome.verdict)
        if outcome.verdict == "created" and draft.deliver_at is not None:
            self._publisher.wake_workers()
        found = b"".join([item.bytes for item in outcome.ids or ()])
        return Reply(
            created=outcome.verdict == "created",
            sent=Sent(
                idempotency_key=draft.idempotency_key,
                notifications=[
                    SentNotification(f"notif_{name}", subscriber_id)
                    for name, subscriber_id in zip(ids.encode_all(found), draft.recipients, strict=True)
                ],
            ),
        )


def refuse(verdict: Verdict) -> None:
    """Raises what a refused request is answered with; notifications and broadcasts alike."""
    match verdict:
        case "created" | "replayed":
            return
        case "conflict":
            raise Conflict("idempotency_key was used before, with a different request")
        case "deliver_at_past":
            raise InvalidRequest("deliver_at must lie in the future")
        case "deliver_at_far":
            raise InvalidRequest("deliver_at must be at most 13 months away")
        case "expires_at_past":
            raise InvalidRequest("expires_at must be later than deliver_at, or than now")
        case "busy":
            raise Unavailable("the inbox is held elsewhere; try again shortly")
