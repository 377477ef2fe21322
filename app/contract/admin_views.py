"""The admin plane: what operators look at."""

import msgspec

from app.contract.resources import Counts, Item, Preference


class SourceTimes(msgspec.Struct, frozen=True):
    """Of the newest item that a watermark covers, by source; null where it covers none."""

    notification: str | None
    broadcast: str | None


class Watermarks(msgspec.Struct, frozen=True):
    read: SourceTimes
    seen: SourceTimes
    archive: SourceTimes


class SubscriberState(msgspec.Struct, frozen=True):
    """GET …/subscribers/{id}: one person's inbox, all of one instant."""

    subscriber_id: str
    created_at: str
    counts: Counts
    watermarks: Watermarks
    preferences: list[Preference]
    inbox: list[Item]


class Audience(msgspec.Struct, frozen=True):
    """GET …/audience. is_exact False: there are more than those that were counted."""

    subscribers: int
    muted: int
    is_exact: bool


class DeadLetter(msgspec.Struct, frozen=True):
    id: str
    environment_slug: str
    job_type: str
    attempts: int
    last_error: str
    parked_at: str


class Replayed(msgspec.Struct, frozen=True):
    replayed: int


class MinuteCount(msgspec.Struct, frozen=True):
    minute: str
    count: int


class HintLatency(msgspec.Struct, frozen=True):
    """Milliseconds; null where there was no hint."""

    p50: float | None
    p99: float | None


class Overview(msgspec.Struct, frozen=True):
    """Null is what nobody can tell while Redis is away."""

    as_of: str
    connections: int | None
    queue_due: int
    queue_depth: int
    dead_letters: int
    environments: int
    notifications_per_minute: list[MinuteCount] | None
    hint_latency_ms: HintLatency
