"""The spine of the inbox, straight through the services: send, page, count, mark."""

from app.contract import ids
from app.contract.requests import BroadcastRequest, NotificationRequest
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services.broadcasts import Broadcasts
from app.services.cursors import Cursor
from app.services.inbox import Inbox
from app.services.notifications import Notifications
from tests.app.services.conftest import who
from tests.factories import Environment, page_of


async def test_both_sources_page_in_one_order(
    pool: Pool, publisher: Publisher, inbox: Inbox, environment: Environment
) -> None:
    """Newest first over notifications and broadcasts, page by page, nothing twice, nothing missing."""
    ada = who(environment, "ada")
    await inbox.counts(ada)
    notifications, broadcasts = Notifications(pool, publisher), Broadcasts(pool, publisher)
    sent: list[str] = []
    for number in range(7):
        reply = await notifications.send(
            environment.id, NotificationRequest(subscriber_id="ada", category=f"c{number % 2}")
        )
        sent.append(reply.sent.notifications[0].id)
        announced = await broadcasts.send(environment.id, BroadcastRequest(category="news"))
        sent.append(announced.sent.id)
    seen: list[str] = []
    cursor = None
    while True:
        page = page_of(await inbox.page(ada, limit=3, cursor=cursor))
        seen += [item.id for item in page.items]
        if page.next_cursor is None:
            break
        cursor = Cursor.decode(page.next_cursor)
    assert seen == sent[::-1]
    counts = await inbox.counts(ada)
    assert (counts.unread, counts.unseen) == (14, 14)
    item = ids.decode_item("notification", sent[0])
    assert item is not None
    await inbox.mark(ada, source="notification", item_id=item, field="read", value=True)
    item = ids.decode_item("broadcast", sent[1])
    assert item is not None
    await inbox.mark(ada, source="broadcast", item_id=item, field="archived", value=True)
    counts = await inbox.counts(ada)
    assert (counts.unread, counts.unseen) == (12, 14)
    counts = await inbox.mark_all(ada, watermark="read")
    assert (counts.unread, counts.unseen) == (0, 14)
    counts = await inbox.mark_all(ada, watermark="seen")
    assert (counts.unread, counts.unseen) == (0, 0)
