"""The words of the API. A field means the same wherever it stands, so each is explained once.

`Struct.field` comes before `field`, for the few that need their own words.
"""

from typing import Any, Final

import msgspec

_NOTIFICATION_ID: Final = "notif_01m89r2kmnea9sa66p44sdpbqk"
_BROADCAST_ID: Final = "bcast_01m89r2kn1e86s545xs8nbb4sm"
_USER_ID: Final = "adm_01m89r2kn1e86s545xs8nbb4sm"
_TIME: Final = "2026-11-25T16:19:31.105525Z"


class Word(msgspec.Struct, frozen=True):
    """schema: what JSON Schema can say of the field that its type does not."""

    description: str
    schema: dict[str, Any]


def _word(description: str, **schema: Any) -> Word:
    return Word(description, schema)


def _time(description: str) -> Word:
    return _word(description, format="date-time", examples=[_TIME])


WORDS: Final[dict[str, Word]] = {
    "id": _word(
        "A TypeID.",
        examples=[_NOTIFICATION_ID],
    ),
    "SentBroadcast.id": _word(
        "The broadcast's TypeID.",
        examples=[_BROADCAST_ID],
    ),
    "Broadcast.id": _word(
        "The broadcast's TypeID.",
        examples=[_BROADCAST_ID],
    ),
    "subscriber_id": _word(
        "Your own id of a person: 1 to 255 bytes of UTF-8.",
        minLength=1,
        maxLength=255,
        examples=["user_42"],
    ),
    "NotificationRequest.subscriber_id": _word(
        "The one recipient, by your own id: 1 to 255 bytes of UTF-8. Give this or `subscriber_ids`.",
        minLength=1,
        maxLength=255,
        examples=["user_42"],
    ),
    "subscriber_ids": _word(
        "1 to 100 recipients; duplicates collapse. Give this or `subscriber_id`.",
        minItems=1,
        maxItems=100,
        examples=[["user_42", "user_43"]],
    ),
    "category": _word(
        "What kind of item it is, 1 to 255 bytes: people filter and mute by it. Dots make prefixes, "
        "so that `billing.*` finds `billing.invoice`.",
        minLength=1,
        maxLength=255,
        examples=["billing.invoice"],
    ),
    "payload": _word(
        "Any JSON object of at most 16 384 bytes, returned byte for byte. The server reads none of "
        "it; front ends know `title`, `body`, `action_url` and `icon_url`.",
        type="object",
        additionalProperties=True,
        examples=[{"title": "Invoice paid"}],
    ),
    "idempotency_key": _word(
        "The same key again answers the first response and does nothing. Generated where you give "
        "none. Remembered for 30 days.",
        minLength=1,
        maxLength=255,
        examples=["invoice-1042-paid"],
    ),
    "deliver_at": _word(
        "When to deliver: in the future, at most 13 months away. RFC 3339 with an offset.",
    ),
    "expires_at": _word(
        "When the item leaves every inbox: after `deliver_at`, or after now. RFC 3339 with an offset.",
    ),
    "visible_at": _time(
        "When it became visible; null while it waits. RFC 3339 in UTC.",
    ),
    "Token.expires_at": _time(
        "When the token ends: RFC 3339 in UTC.",
    ),
    "created_at": _time(
        "RFC 3339 in UTC.",
    ),
    "SubscriberRequest.created_at": _time(
        "When the person joined; applies on first create only. Broadcasts from then on are theirs. "
        "Now, where absent.",
    ),
    "ImportLine.created_at": _time(
        "When the person joined, as with `PUT`.",
    ),
    "SubscriberDetail.created_at": _time(
        "When the person joined: broadcasts from then on are theirs.",
    ),
    "Subscriber.created_at": _time(
        "When the person joined: broadcasts from then on are theirs.",
    ),
    "notifications": _word(
        "One for each recipient, in the order of the request.",
    ),
    "items": _word(
        "Newest first.",
    ),
    "next_cursor": _word(
        "Pass it as `cursor` for the next page; null exactly when nothing follows.",
        examples=["bjE3OTU2MjM1NzEwOTI4MDg"],
    ),
    "source": _word(
        "Where it came from: `notification`, sent to this person; `broadcast`, sent to everyone.",
        examples=["notification"],
    ),
    "occurred_at": _time(
        "When it became visible: RFC 3339 in UTC.",
    ),
    "read": _word(
        "Whether the person has read it.",
        examples=[False],
    ),
    "archived": _word(
        "Whether the person has archived it.",
        examples=[False],
    ),
    "unread": _word(
        "How many items the unread view shows.",
        minimum=0,
        examples=[3],
    ),
    "unseen": _word(
        "How many arrived since the person last looked: the number on the bell.",
        minimum=0,
        examples=[1],
    ),
    "version": _word(
        "Grows with every change of this inbox: drop what carries a lower one.",
        minimum=0,
        examples=[1795623571092808],
    ),
    "up_to": _word(
        "What the person has on screen: one item's id (it and everything older), or the newest of "
        "each source, as `GET /v1/inbox/items` gave them. Everything, where absent.",
        examples=[_NOTIFICATION_ID],
    ),
    "notification": _word(
        "The newest notification on screen, by the `id` it has in the list; null leaves them alone.",
        examples=[_NOTIFICATION_ID],
    ),
    "broadcast": _word(
        "The newest broadcast on screen, by the `id` it has in the list; null leaves them alone.",
        examples=[_BROADCAST_ID],
    ),
    "status": _word(
        "One word.",
    ),
    "Notification.status": _word(
        "`scheduled`: it waits for `deliver_at`. `delivered`: it is in the inbox.",
        examples=["delivered"],
    ),
    "Broadcast.status": _word(
        "`scheduled`: it waits for `deliver_at`. `delivered`: it is in the inboxes.",
        examples=["delivered"],
    ),
    "TimelineEntry.status": _word(
        "`created`; `delivered_hint`: the person's open devices were told; `seen`: the person looked at "
        "the inbox; `read`.",
        examples=["created"],
    ),
    "TimelineEntry.occurred_at": _time(
        "When it happened first: RFC 3339 in UTC.",
    ),
    "timeline": _word(
        "Each status at most once, oldest first.",
    ),
    "counts": _word(
        "The numbers on this person's bell.",
    ),
    "preferences": _word(
        "One entry for each category that was set.",
    ),
    "PreferencesRequest.preferences": _word(
        "1 to 100 entries, applied in order; categories that are not named stay as they are.",
        minItems=1,
        maxItems=100,
    ),
    "channel": _word(
        "Where: the inbox.",
        examples=["in_app"],
    ),
    "enabled": _word(
        "False mutes the category: hidden from every view and every count, and nothing is lost. True "
        "unmutes it.",
        examples=[False],
    ),
    "categories": _word(
        "Categories that this environment has used, sorted.",
        examples=[["billing.invoice", "reminder"]],
    ),
    "CountsByCategory.categories": _word(
        "The unmuted categories with a number above zero.",
        examples=[{"billing.invoice": {"unread": 3, "unseen": 1}}],
    ),
    "ttl_seconds": _word(
        "How long the token is good for: 60 to 86 400 seconds; an hour where absent.",
        minimum=60,
        maximum=86_400,
        examples=[600],
    ),
    "token": _word(
        "A JWT. It is not stored, and cannot be shown again.",
        examples=["eyJhbGciOiJIUzI1NiIs…"],
    ),
    "created": _word(
        "How many people are new.",
        minimum=0,
        examples=[998],
    ),
    "existing": _word(
        "How many there were already; nothing of them changed.",
        minimum=0,
        examples=[1],
    ),
    "errors": _word(
        "The lines that could not be taken; at most 1 000 are listed.",
    ),
    "line": _word(
        "The line's number in what was sent, from 1.",
        minimum=1,
        examples=[17],
    ),
    "deleted": _word(
        "How many were cancelled or retracted.",
        minimum=0,
        examples=[2],
    ),
    "Alive.version": _word(
        "The release that runs.",
        examples=["0.1.0"],
    ),
    "User.id": _word(
        "The user's TypeID.",
        examples=[_USER_ID],
    ),
    "Me.id": _word(
        "Your user's TypeID.",
        examples=[_USER_ID],
    ),
    "Actor.id": _word(
        "The user's TypeID; there may be no such user any more.",
        examples=[_USER_ID],
    ),
    "AuditEntry.id": _word(
        "The entry's TypeID.",
        examples=["aud_01m89r2kn1e86s545xs8nbb4sm"],
    ),
    "AuditEntry.occurred_at": _time(
        "When it was done: RFC 3339 in UTC.",
    ),
    "email": _word(
        "An administrator's address; trimmed and lower-cased.",
        minLength=1,
        maxLength=255,
        examples=["grace@example.com"],
    ),
    "name": _word(
        "For people: 1 to 255 bytes of UTF-8.",
        minLength=1,
        maxLength=255,
        examples=["Grace Hopper"],
    ),
    "role": _word(
        "What they may do: `viewer` looks, `operator` also replays and broadcasts, `developer` looks and "
        "manages keys, `admin` does everything.",
    ),
    "disabled": _word(
        "Whether they are kept out.",
    ),
    "password": _word(
        "12 to 1 024 characters.",
        minLength=12,
        maxLength=1024,
        examples=["correct horse battery"],
    ),
    "LoginRequest.password": _word(
        "Your password.",
        minLength=1,
        maxLength=1024,
    ),
    "current_password": _word(
        "For your own password only: the one that you have.",
        minLength=1,
        maxLength=1024,
    ),
    "capabilities": _word(
        "What the role lets you do, sorted.",
    ),
    "updated_at": _time(
        "RFC 3339 in UTC.",
    ),
    "actor": _word(
        "Who did it; null for whoever runs the server, at its boot or from its terminal.",
    ),
    "action": _word(
        "What was done.",
        examples=["user.create"],
    ),
    "target": _word(
        "What it was done to: a TypeID, or a name.",
        examples=[_USER_ID],
    ),
    "environment_slug": _word(
        "The environment it was done in, null for one of none.",
        examples=["acme"],
    ),
    "details": _word(
        "What was asked for. Never a secret.",
        examples=[{"email": "grace@example.com", "role": "operator"}],
    ),
    "error": _word(
        "What went wrong.",
    ),
    "code": _word(
        "Stable: decide by it.",
        examples=["invalid_request"],
    ),
    "message": _word(
        "For people: names the field and the rule.",
        examples=["category must be 1 to 255 bytes of UTF-8"],
    ),
}


def explain(struct: str, field: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field, with its words. Raises KeyError for a field that has none."""
    word = WORDS.get(f"{struct}.{field}") or WORDS[field]
    return {**schema, "description": word.description, **word.schema}
