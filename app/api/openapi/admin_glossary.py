"""The words of the admin plane."""

from typing import Final

from app.api.openapi.words import Word, time, word

_USER_ID: Final = "adm_01m89r2kn1e86s545xs8nbb4sm"
_ENVIRONMENT_ID: Final = "env_01m89r2kmhe6x9wd8s5c6hf0nq"
_KEY_ID: Final = "key_01m89r2kmjf1vtn3r4k7g2yqzd"
_JOB_ID: Final = "job_01m89r2kn0e5ksn0v2c9jr7w3h"

WORDS: Final[dict[str, Word]] = {
    "User.id": word(
        "The user's TypeID.",
        examples=[_USER_ID],
    ),
    "Me.id": word(
        "Your user's TypeID.",
        examples=[_USER_ID],
    ),
    "Actor.id": word(
        "The user's TypeID; there may be no such user any more.",
        examples=[_USER_ID],
    ),
    "AuditEntry.id": word(
        "The entry's TypeID.",
        examples=["aud_01m89r2kn1e86s545xs8nbb4sm"],
    ),
    "AuditEntry.occurred_at": time(
        "When it was done: RFC 3339 in UTC.",
    ),
    "email": word(
        "An administrator's address; trimmed and lower-cased.",
        minLength=1,
        maxLength=255,
        examples=["grace@example.com"],
    ),
    "name": word(
        "For people: 1 to 255 bytes of UTF-8.",
        minLength=1,
        maxLength=255,
        examples=["Grace Hopper"],
    ),
    "role": word(
        "What they may do: `viewer` looks, `operator` also replays and broadcasts, `developer` looks and "
        "manages keys, `admin` does everything.",
    ),
    "disabled": word(
        "Whether they are kept out.",
    ),
    "password": word(
        "12 to 1 024 characters.",
        minLength=12,
        maxLength=1024,
        examples=["correct horse battery"],
    ),
    "LoginRequest.password": word(
        "Your password.",
        minLength=1,
        maxLength=1024,
    ),
    "current_password": word(
        "For your own password only: the one that you have.",
        minLength=1,
        maxLength=1024,
    ),
    "capabilities": word(
        "What the role lets you do, sorted.",
    ),
    "updated_at": time(
        "RFC 3339 in UTC.",
    ),
    "actor": word(
        "Who did it; null for whoever runs the server, at its boot or from its terminal.",
    ),
    "action": word(
        "What was done.",
        examples=["user.create"],
    ),
    "target": word(
        "What it was done to: a TypeID, or a name.",
        examples=[_USER_ID],
    ),
    "environment_slug": word(
        "The environment it was done in, null for one of none.",
        examples=["acme"],
    ),
    "details": word(
        "What was asked for; of a broadcast its category and title, too, when it is deleted. Never a secret.",
        examples=[{"email": "grace@example.com", "role": "operator"}],
    ),
    "slug": word(
        "What clients name the environment by: 1 to 255 of `A-Z a-z 0-9 _ -`. It stays.",
        pattern="^[A-Za-z0-9_-]{1,255}$",
        examples=["production"],
    ),
    "Environment.id": word(
        "The environment's TypeID.",
        examples=[_ENVIRONMENT_ID],
    ),
    "EnvironmentDetail.id": word(
        "The environment's TypeID.",
        examples=[_ENVIRONMENT_ID],
    ),
    "require_subscriber_hash": word(
        "Whether people must prove who they are. False is for development: anybody may read anybody's inbox.",
        examples=[True],
    ),
    "has_previous_secret": word(
        "Whether a rotation is under way: the secret before this one is still good.",
        examples=[False],
    ),
    "subscriber_hmac_rotated_at": time(
        "When the last rotation began; null before the first. RFC 3339 in UTC.",
    ),
    "subscriber_hmac_secret": word(
        "The key of subscribers' proofs and tokens: all of its bytes, `bws_` included.",
        examples=["bws_…"],
    ),
    "EnvironmentDetail.subscriber_hmac_secret": word(
        "The key of subscribers' proofs and tokens. Left out where your role may not read it.",
        examples=["bws_…"],
    ),
    "ApiKey.id": word(
        "The key's TypeID.",
        examples=[_KEY_ID],
    ),
    "NewApiKey.id": word(
        "The key's TypeID.",
        examples=[_KEY_ID],
    ),
    "key": word(
        "What a backend sends as its bearer token. It is not stored, and cannot be shown again.",
        examples=["bw_…"],
    ),
    "key_prefix": word(
        "How the key begins, to tell it from others.",
        examples=["bw_Yk3dQ0x"],
    ),
    "last_used_at": time(
        "When it was last used, to the minute; null before the first time. RFC 3339 in UTC.",
    ),
    "revoked_at": time(
        "When it was revoked; null while it is good. RFC 3339 in UTC.",
    ),
    "SubscriberState.created_at": time(
        "When the person joined: broadcasts from then on are theirs.",
    ),
    "watermarks": word(
        "Up to where everything is read, seen, archived, but for what was decided item by item.",
    ),
    "Watermarks.read": word(
        "Up to where everything is read.",
    ),
    "seen": word(
        "Up to where everything was seen.",
    ),
    "archive": word(
        "Up to where everything is archived.",
    ),
    "SourceTimes.notification": time(
        "The time of the newest notification that is covered; null where none is.",
    ),
    "SourceTimes.broadcast": time(
        "The time of the newest broadcast that is covered; null where none is.",
    ),
    "inbox": word(
        "The first page of it, up to 20 items, newest first.",
        maxItems=20,
    ),
    "subscribers": word(
        "How many people the environment has, counted up to 100 000.",
        minimum=0,
        examples=[1204],
    ),
    "muted": word(
        "How many of them have muted the category: they will not be told.",
        minimum=0,
        examples=[17],
    ),
    "is_exact": word(
        "False: there are more than could be counted.",
        examples=[True],
    ),
    "DeadLetter.id": word(
        "The job's TypeID.",
        examples=[_JOB_ID],
    ),
    "DeadLetter.environment_slug": word(
        "The environment it is of.",
        examples=["acme"],
    ),
    "DeadLetterListing.items": word(
        "Oldest first.",
    ),
    "job_type": word(
        "What the job was to do.",
        examples=["hint"],
    ),
    "attempts": word(
        "How often it failed.",
        minimum=0,
        examples=[10],
    ),
    "last_error": word(
        "What went wrong the last time.",
        examples=["ValueError: no such shape"],
    ),
    "parked_at": time(
        "When it was given up: RFC 3339 in UTC.",
    ),
    "replayed": word(
        "How many are jobs again.",
        minimum=0,
        examples=[1],
    ),
    "as_of": time(
        "When it was so, by the database's clock: RFC 3339 in UTC.",
    ),
    "connections": word(
        "Sockets and streams that are open, of all processes.",
        minimum=0,
        examples=[812],
    ),
    "queue_due": word(
        "Jobs whose time has come, counted up to 100 000 of each environment and type.",
        minimum=0,
        examples=[0],
    ),
    "queue_depth": word(
        "Jobs that wait, those included.",
        minimum=0,
        examples=[3],
    ),
    "dead_letters": word(
        "Jobs that failed too often, counted up to 100 000.",
        minimum=0,
        examples=[0],
    ),
    "environments": word(
        "How many there are.",
        minimum=0,
        examples=[2],
    ),
    "notifications_per_minute": word(
        "Notifications created in each of the last 60 minutes, oldest first; the last minute is under way.",
        minItems=60,
        maxItems=60,
    ),
    "minute": time(
        "When the minute began: RFC 3339 in UTC.",
    ),
    "count": word(
        "How many notifications were created.",
        minimum=0,
        examples=[42],
    ),
    "hint_latency_ms": word(
        "From a commit to the last frame about it, over the last minute.",
    ),
    "p50": word(
        "Milliseconds: half of the hints took no longer. Null where there was none.",
        minimum=0,
        examples=[2.4],
    ),
    "p99": word(
        "Milliseconds: 99 of 100 hints took no longer. Null where there was none.",
        minimum=0,
        examples=[9.7],
    ),
}
