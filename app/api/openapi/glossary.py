"""The words of the API. A field means the same wherever it stands, so each is explained once.

`Struct.field` comes before `field`, for the few that need their own words.
"""

from typing import Any, Final

from app.api.openapi import admin_glossary
from app.api.openapi.words import Word, time, word

_NOTIFICATION_ID: Final = "notif_01m89r2kmnea9sa66p44sdpbqk"
_BROADCAST_ID: Final = "bcast_01m89r2kn1e86s545xs8nbb4sm"


WORDS: Final[dict[str, Word]] = {
    **admin_glossary.WORDS,
    "id": word(
        "A TypeID.",
        examples=[_NOTIFICATION_ID],
    ),
    "SentBroadcast.id": word(
        "The broadcast's TypeID.",
        examples=[_BROADCAST_ID],
    ),
    "Broadcast.id": word(
        "The broadcast's TypeID.",
        examples=[_BROADCAST_ID],
    ),
    "subscriber_id": word(
        "Your own id of a person: 1 to 255 bytes of UTF-8.",
        minLength=1,
        maxLength=255,
        examples=["user_42"],
    ),
    "NotificationRequest.subscriber_id": word(
        "The one recipient, by your own id: 1 to 255 bytes of UTF-8. Give this or `subscriber_ids`.",
        minLength=1,
        maxLength=255,
        examples=["user_42"],
    ),
    "subscriber_ids": word(
        "1 to 100 recipients; duplicates collapse. Give this or `subscriber_id`.",
        minItems=1,
        maxItems=100,
        examples=[["user_42", "user_43"]],
    ),
    "category": word(
        "What kind of item it is, 1 to 255 bytes: people filter and mute by it. Dots make prefixes, "
        "so that the filter `billing.*` finds `billing.invoice`.",
        minLength=1,
        maxLength=255,
        examples=["billing.invoice"],
    ),
    "PreferenceEntry.category": word(
        "Exactly this category, 1 to 255 bytes; prefixes are for filters.",
        minLength=1,
        maxLength=255,
        examples=["billing.invoice"],
    ),
    "payload": word(
        "Any JSON object of at most 16 384 bytes, returned byte for byte. The server reads none of "
        "it; front ends know `title`, `body`, `action_url` and `icon_url`.",
        type="object",
        additionalProperties=True,
        examples=[{"title": "Invoice paid"}],
    ),
    "idempotency_key": word(
        "The same key again answers the first response and does nothing. Generated where you give "
        "none. Remembered for 30 days.",
        minLength=1,
        maxLength=255,
        examples=["invoice-1042-paid"],
    ),
    "deliver_at": word(
        "When to deliver: in the future, at most 13 months away. RFC 3339 with an offset.",
    ),
    "expires_at": word(
        "When the item leaves every inbox: after `deliver_at`, or after now. RFC 3339 with an offset.",
    ),
    "visible_at": time(
        "When it became visible; null while it waits. RFC 3339 in UTC.",
    ),
    "Token.expires_at": time(
        "When the token ends: RFC 3339 in UTC.",
    ),
    "created_at": time(
        "RFC 3339 in UTC.",
    ),
    "SubscriberRequest.created_at": time(
        "When the person joined; applies on first create only. Broadcasts from then on are theirs. "
        "Now, where absent.",
    ),
    "ImportLine.created_at": time(
        "When the person joined, as with `PUT`.",
    ),
    "SubscriberDetail.created_at": time(
        "When the person joined: broadcasts from then on are theirs.",
    ),
    "Subscriber.created_at": time(
        "When the person joined: broadcasts from then on are theirs.",
    ),
    "notifications": word(
        "One for each recipient, in the order of the request.",
    ),
    "items": word(
        "Newest first.",
    ),
    "next_cursor": word(
        "Pass it as `cursor` for the next page; null exactly when nothing follows.",
        examples=["bjE3OTU2MjM1NzEwOTI4MDg"],
    ),
    "source": word(
        "Where it came from: `notification`, sent to this person; `broadcast`, sent to everyone.",
        examples=["notification"],
    ),
    "occurred_at": time(
        "When it became visible: RFC 3339 in UTC.",
    ),
    "read": word(
        "Whether the person has read it.",
        examples=[False],
    ),
    "archived": word(
        "Whether the person has archived it.",
        examples=[False],
    ),
    "unread": word(
        "How many items the unread view shows.",
        minimum=0,
        examples=[3],
    ),
    "unseen": word(
        "How many arrived since the person last looked: the number on the bell.",
        minimum=0,
        examples=[1],
    ),
    "version": word(
        "Grows with every change of this inbox: drop what carries a lower one.",
        minimum=0,
        examples=[1795623571092808],
    ),
    "up_to": word(
        "What the person has on screen: one item's id (it and everything older), or the newest of "
        "each source, as `GET /v1/inbox/items` gave them. Everything, where absent.",
        examples=[_NOTIFICATION_ID],
    ),
    "notification": word(
        "The newest notification on screen, by the `id` it has in the list; null leaves them alone.",
        examples=[_NOTIFICATION_ID],
    ),
    "broadcast": word(
        "The newest broadcast on screen, by the `id` it has in the list; null leaves them alone.",
        examples=[_BROADCAST_ID],
    ),
    "status": word(
        "One word.",
    ),
    "Notification.status": word(
        "`scheduled`: it waits for `deliver_at`. `delivered`: it is in the inbox.",
        examples=["delivered"],
    ),
    "Broadcast.status": word(
        "`scheduled`: it waits for `deliver_at`. `delivered`: it is in the inboxes.",
        examples=["delivered"],
    ),
    "TimelineEntry.status": word(
        "`created`; `delivered_hint`: the person's open devices were told; `seen`: the person looked at "
        "the inbox; `read`.",
        examples=["created"],
    ),
    "TimelineEntry.occurred_at": time(
        "When it happened first: RFC 3339 in UTC.",
    ),
    "timeline": word(
        "Each status at most once, oldest first.",
    ),
    "counts": word(
        "The numbers on this person's bell.",
    ),
    "preferences": word(
        "One entry for each category that was set.",
    ),
    "PreferencesRequest.preferences": word(
        "1 to 100 entries, applied in order; categories that are not named stay as they are.",
        minItems=1,
        maxItems=100,
    ),
    "channel": word(
        "Where: the inbox.",
        examples=["in_app"],
    ),
    "enabled": word(
        "False mutes the category: hidden from every view and every count, and nothing is lost. True "
        "unmutes it.",
        examples=[False],
    ),
    "categories": word(
        "Categories that this environment has used, sorted.",
        examples=[["billing.invoice", "reminder"]],
    ),
    "CountsByCategory.categories": word(
        "The unmuted categories with a number above zero.",
        examples=[{"billing.invoice": {"unread": 3, "unseen": 1}}],
    ),
    "ttl_seconds": word(
        "How long the token is good for: 60 to 86 400 seconds; an hour where absent.",
        minimum=60,
        maximum=86_400,
        examples=[600],
    ),
    "token": word(
        "A JWT. It is not stored, and cannot be shown again.",
        examples=["eyJhbGciOiJIUzI1NiIs…"],
    ),
    "created": word(
        "How many people are new.",
        minimum=0,
        examples=[998],
    ),
    "existing": word(
        "How many there were already; nothing of them changed.",
        minimum=0,
        examples=[1],
    ),
    "errors": word(
        "The lines that could not be taken; at most 1 000 are listed.",
    ),
    "line": word(
        "The line's number in what was sent, from 1.",
        minimum=1,
        examples=[17],
    ),
    "deleted": word(
        "How many were cancelled or retracted.",
        minimum=0,
        examples=[2],
    ),
    "Alive.version": word(
        "The release that runs.",
        examples=["0.1.0"],
    ),
    "error": word(
        "What went wrong.",
    ),
    "code": word(
        "Stable: decide by it.",
        examples=["invalid_request"],
    ),
    "message": word(
        "For people: names the field and the rule.",
        examples=["category must be 1 to 255 bytes of UTF-8"],
    ),
}


def explain(struct: str, field: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field, with its words. Raises KeyError for a field that has none."""
    word = WORDS.get(f"{struct}.{field}") or WORDS[field]
    return {**schema, "description": word.description, **word.schema}
