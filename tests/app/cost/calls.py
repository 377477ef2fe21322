"""What is asked about one person, with arguments as the services pass them."""

import json
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from app.db import (
    broadcasts,
    dead_letters,
    delivery,
    inbox,
    notifications,
    outbox,
    preferences,
    records,
    subscriber_states,
    subscribers,
)
from app.db.records import HIGHEST, LOWEST
from tests.app.cost.people import Person

Call: TypeAlias = tuple[str, Callable[[Person], tuple[object, ...]]]


def _page(
    view: str = "default",
    categories: Sequence[str] | None = None,
    *,
    deep: bool = False,
    known: Sequence[str] = (),
) -> Call:
    return inbox.SELECT_PAGES, lambda who: (
        [who.environment_id],
        [who.subscriber_id],
        [view],
        [None if categories is None else json.dumps(categories)],
        [who.middle_us if deep else None],
        [0 if deep else None],
        [21],
        ["parameters"],
        [json.dumps(known) if known else None],
    )


def _list(*, subscriber: bool = True, category: str | None = None, status: str | None = None) -> Call:
    return records.SELECT_NOTIFICATIONS, lambda who: (
        who.environment_id,
        who.subscriber_id if subscriber else None,
        category,
        status,
        LOWEST,
        HIGHEST,
        51,
    )


PAGES: Final[dict[str, Call]] = {
    "default": _page(),
    "unread": _page("unread"),
    "archived": _page("archived"),
    "default, a rare category": _page("default", ["rare"]),
    "unread, a rare category": _page("unread", ["rare"]),
    "archived, a rare category": _page("archived", ["rare"]),
    "a prefix": _page("default", ["common.*", "news.*"]),
    "nothing of the kind": _page("default", ["unheard of"]),
    "from the middle": _page(deep=True),
    "unread from the middle": _page("unread", deep=True),
    "archived from the middle": _page("archived", deep=True),
    "not modified": _page(known=["*"]),
}
COUNTS: Final[dict[str, Call]] = {
    "counts": (inbox.SELECT_COUNTS_OF, lambda who: ([who.environment_id], [who.subscriber_id])),
    "counts of many": (inbox.SELECT_COUNTS, lambda who: (who.environment_id, [who.inbox_id] * 10)),
    "counts by category": (
        inbox.SELECT_COUNTS_BY_CATEGORY,
        lambda who: (who.environment_id, who.subscriber_id),
    ),
    "connect": (subscribers.SELECT_INBOXES, lambda who: (who.environment_id, [who.subscriber_id])),
    "an operator's look-up": (
        subscriber_states.SELECT_STATE,
        lambda who: (who.environment_id, who.subscriber_id, subscriber_states.PAGE),
    ),
}
LOOKUPS: Final[dict[str, Call]] = {
    "an item": (
        inbox.SELECT_ITEM,
        lambda who: (who.environment_id, who.subscriber_id, "notification", who.middle),
    ),
    "a broadcast": (
        inbox.SELECT_ITEM,
        lambda who: (who.environment_id, who.subscriber_id, "broadcast", who.broadcast),
    ),
    "preferences": (subscribers.SELECT_MUTED, lambda who: (who.environment_id, who.inbox_id)),
    "record": (records.SELECT_NOTIFICATION, lambda who: (who.environment_id, who.middle)),
    "timeline": (records.SELECT_TIMELINE, lambda who: (who.environment_id, who.middle)),
    "records": _list(),
    "delivered records": _list(status="delivered"),
    "scheduled records": _list(status="scheduled"),
    "records of a rare category": _list(category="rare"),
    "records of everybody": _list(subscriber=False),
    "records of a rare category, of everybody": _list(subscriber=False, category="rare"),
    "scheduled records of no category": _list(subscriber=False, category="unheard of", status="scheduled"),
    "broadcast record": (records.SELECT_BROADCAST, lambda who: (who.environment_id, who.broadcast)),
    "broadcast records": (records.SELECT_BROADCASTS, lambda who: (who.environment_id, None, HIGHEST, 51)),
    "scheduled broadcasts": (
        records.SELECT_BROADCASTS,
        lambda who: (who.environment_id, "scheduled", HIGHEST, 51),
    ),
    "subscriber": (subscribers.SELECT_CREATED_AT, lambda who: (who.environment_id, who.subscriber_id)),
    "subscribers": (subscribers.SELECT_SUBSCRIBERS, lambda who: (who.environment_id, None, LOWEST, 51)),
    "next delivery": (delivery.SELECT_NEXT_DELIVERY, lambda _: ([],)),
    "next expiry": (delivery.SELECT_NEXT_EXPIRY, lambda _: ([],)),
    "next job": (outbox.SELECT_NEXT_DUE, lambda _: ("hint",)),
    "dead letters": (dead_letters.SELECT_DEAD_LETTERS, lambda _: (None, LOWEST, None, 11)),
}
READS: Final[dict[str, Call]] = PAGES | LOOKUPS


def _mark(field: str, *, value: bool) -> Call:
    return inbox.MARK_ITEMS, lambda who: (
        [who.environment_id],
        [who.subscriber_id],
        ["notification"],
        [who.middle],
        [field],
        [value],
        False,
    )


def _mark_all(watermark: str) -> Call:
    return inbox.MARK_ALLS, lambda who: (
        [who.environment_id],
        [who.subscriber_id],
        [watermark],
        [False],
        [None],
        [None],
        False,
    )


def _up_to_an_old_one(watermark: str) -> Call:
    return inbox.MARK_ALLS, lambda who: (
        [who.environment_id],
        [who.subscriber_id],
        [watermark],
        [False],
        [who.oldest[-1]],
        [None],
        False,
    )


def _send(*recipients: str) -> Call:
    return notifications.SEND_NOTIFICATIONS, lambda who: (
        [who.environment_id],
        ["a key"],
        [b"fingerprint"],
        ["noise"],
        ["{}"],
        [None],
        [None],
        [1] * max(len(recipients), 1),
        list(recipients) or [who.subscriber_id],
        False,
    )


MARKS: Final[dict[str, Call]] = {
    "read": _mark("read", value=True),
    "unread": _mark("read", value=False),
    "archive": _mark("archived", value=True),
    "unarchive": _mark("archived", value=False),
    "read up to an old one": _up_to_an_old_one("read"),
    "seen up to an old one": _up_to_an_old_one("seen"),
    "archive up to an old one": _up_to_an_old_one("archived"),
    "mute": (
        preferences.SET_PREFERENCES,
        lambda who: (who.environment_id, who.subscriber_id, ["noise"], [False]),
    ),
    "ask to archive what is read": (
        inbox.ASK_ARCHIVE_READ,
        lambda who: (who.environment_id, who.subscriber_id),
    ),
}
ALLS: Final[dict[str, Call]] = {
    "read-all": _mark_all("read"),
    "seen-all": _mark_all("seen"),
    "archive-all": _mark_all("archived"),
}
CREATES: Final[dict[str, Call]] = {
    "send": _send(),
    "send to a new person": _send("somebody new"),
    "send to ten": _send(*(f"crowd-{number}" for number in range(1, 11))),
    "broadcast": (
        broadcasts.SEND_BROADCAST,
        lambda who: (who.environment_id, "a key", b"fingerprint", "news.rare", "{}", None, None),
    ),
}
STEPS: Final[dict[str, Call]] = {
    "nothing to deliver": (delivery.DELIVER_DUE, lambda _: (100, [])),
    "no broadcast to deliver": (delivery.SELECT_DUE_BROADCASTS, lambda _: ([],)),
    "nothing to expire": (delivery.EXPIRE_DUE, lambda _: (100, [])),
    "no broadcast to expire": (delivery.SELECT_EXPIRED_BROADCASTS, lambda _: ([],)),
    "nothing to claim": (outbox.CLAIM_JOBS, lambda _: ("hint", 100)),
}
