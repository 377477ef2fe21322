"""Every route of the admin API: who may use it, and a request of each kind.

The tests of roles, of the order of checks and of the audit take all routes from here; one that has no line
fails them. Paths name what `make_things` makes, in braces.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from app import redis
from app.contract import ids
from app.contract.admin import AuditAction, Capability
from app.contract.requests import BroadcastRequest, NotificationRequest
from app.db import environments, outbox
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services.broadcasts import Broadcasts
from app.services.notifications import Notifications
from tests.app.api.admin.people import PASSWORD, make_admin
from tests.app.worker.test_dead_letters import add_job
from tests.factories import make_environment
from tests.harness import NO_REDIS

_numbers: Final = itertools.count(1)

SECRET_PASSWORD: Final = "one that nobody may read"
SECRET_PAYLOAD: Final = "what nobody but its readers may read"
NOBODY: Final = "adm_00000000000000000000000000"
ENVIRONMENT: Final = "/admin/api/environments/{env}"
NO_ENVIRONMENT: Final[Sequence[str]] = (
    "/admin/api/environments/unknown",
    "/admin/api/environments/env_00000000000000000000000000",
    "/admin/api/environments/%20",
)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One route.

    capability: as the contract says; None: whoever is logged in. path: with {names} of things there are.
    body: one that succeeds with `status`. malformed: bodies, and queries, that are 400. missing: paths that
    name what is not there. action: what the audit says of a success, None where nothing is written.
    is_open: takes no session.
    """

    capability: Capability | None
    path: str
    status: int
    body: Mapping[str, Any] | None = None
    malformed: Sequence[object] = ()
    missing: Sequence[str] = ()
    action: AuditAction | None = None
    is_open: bool = False


NOT_A_BODY: Final[Sequence[object]] = ("a string", {"typo": 1}, None)
BAD_PAGES: Final[Sequence[object]] = ("?limit=0", "?limit=201", "?cursor=", "?cursor=x", "?limit=1&limit=2")

TABLE: Final[Mapping[str, Line]] = {
    "POST /admin/api/login": Line(
        capability=None,
        path="/admin/api/login",
        status=200,
        body={"email": "{user_email}", "password": PASSWORD},
        malformed=[*NOT_A_BODY, {"email": "a@b"}, {"email": "a@b", "password": ""}],
        action="session.login",
        is_open=True,
    ),
    "POST /admin/api/logout": Line(
        capability=None, path="/admin/api/logout", status=204, action="session.logout"
    ),
    "GET /admin/api/me": Line(capability=None, path="/admin/api/me", status=200),
    "GET /admin/api/users": Line(
        capability="user:manage", path="/admin/api/users", status=200, malformed=BAD_PAGES
    ),
    "POST /admin/api/users": Line(
        capability="user:manage",
        path="/admin/api/users",
        status=201,
        body={"email": "new@example.com", "name": "New", "role": "viewer", "password": SECRET_PASSWORD},
        malformed=[
            *NOT_A_BODY,
            {"email": "new@example.com", "name": "New", "role": "owner", "password": SECRET_PASSWORD},
            {"email": "new@example.com", "name": "New", "role": "viewer", "password": "x" * 11},
            {"email": "new@example.com", "name": "New", "role": "viewer", "password": "x" * 1025},
            {"email": "new@example.com", "name": "", "role": "viewer", "password": SECRET_PASSWORD},
            {"email": "nobody", "name": "New", "role": "viewer", "password": SECRET_PASSWORD},
            {"email": "x@" + "x" * 254, "name": "New", "role": "viewer", "password": SECRET_PASSWORD},
        ],
        action="user.create",
    ),
    "PATCH /admin/api/users/{id}": Line(
        capability="user:manage",
        path="/admin/api/users/{user}",
        status=200,
        body={"name": "Renamed", "role": "operator", "disabled": True},
        malformed=[*NOT_A_BODY, {"disabled": "yes"}, {"email": "other@example.com"}, {"name": ""}],
        missing=[f"/admin/api/users/{NOBODY}", "/admin/api/users/x", "/admin/api/users/%20"],
        action="user.update",
    ),
    "DELETE /admin/api/users/{id}": Line(
        capability="user:manage",
        path="/admin/api/users/{user}",
        status=204,
        missing=[f"/admin/api/users/{NOBODY}", "/admin/api/users/x"],
        action="user.delete",
    ),
    "POST /admin/api/users/{id}/password": Line(
        capability="user:manage",
        path="/admin/api/users/{user}/password",
        status=204,
        body={"password": SECRET_PASSWORD},
        malformed=[
            *NOT_A_BODY,
            {"password": "x" * 11},
            {"password": SECRET_PASSWORD, "current_password": ""},
        ],
        missing=[f"/admin/api/users/{NOBODY}/password", "/admin/api/users/x/password"],
        action="user.set_password",
    ),
    "GET /admin/api/environments": Line(
        capability="read", path="/admin/api/environments", status=200, malformed=BAD_PAGES
    ),
    "POST /admin/api/environments": Line(
        capability="env:manage",
        path="/admin/api/environments",
        status=201,
        body={"slug": "new-of-{env}", "name": "New", "require_subscriber_hash": False},
        malformed=[
            *NOT_A_BODY,
            {"slug": "new", "name": ""},
            {"slug": "", "name": "New"},
            {"slug": "a b", "name": "New"},
            {"slug": "é", "name": "New"},
            {"slug": "new\n", "name": "New"},
            {"slug": "x" * 256, "name": "New"},
            {"slug": "new", "name": "New", "require_subscriber_hash": "yes"},
        ],
        action="environment.create",
    ),
    "GET /admin/api/environments/{env}": Line(
        capability="read", path=ENVIRONMENT, status=200, missing=NO_ENVIRONMENT
    ),
    "PATCH /admin/api/environments/{env}": Line(
        capability="env:manage",
        path=ENVIRONMENT,
        status=200,
        body={"name": "Renamed", "require_subscriber_hash": False},
        malformed=[*NOT_A_BODY, {"name": ""}, {"slug": "other"}, {"require_subscriber_hash": 1}],
        missing=NO_ENVIRONMENT,
        action="environment.update",
    ),
    "POST /admin/api/environments/{env}/hmac/rotate": Line(
        capability="hmac:rotate",
        path=ENVIRONMENT + "/hmac/rotate",
        status=200,
        missing=[path + "/hmac/rotate" for path in NO_ENVIRONMENT],
        action="hmac.rotate",
    ),
    "POST /admin/api/environments/{env}/hmac/rotate/complete": Line(
        capability="hmac:rotate",
        path="/admin/api/environments/{rotating}/hmac/rotate/complete",
        status=204,
        missing=[path + "/hmac/rotate/complete" for path in NO_ENVIRONMENT],
        action="hmac.complete",
    ),
    "GET /admin/api/environments/{env}/api-keys": Line(
        capability="apikey:read",
        path=ENVIRONMENT + "/api-keys",
        status=200,
        malformed=BAD_PAGES,
        missing=[path + "/api-keys" for path in NO_ENVIRONMENT],
    ),
    "POST /admin/api/environments/{env}/api-keys": Line(
        capability="apikey:manage",
        path=ENVIRONMENT + "/api-keys",
        status=201,
        body={"name": "New"},
        malformed=[*NOT_A_BODY, {"name": ""}, {"name": "x" * 256}, {}],
        missing=[path + "/api-keys" for path in NO_ENVIRONMENT],
        action="api_key.create",
    ),
    "POST /admin/api/environments/{env}/api-keys/{key}/revoke": Line(
        capability="apikey:manage",
        path=ENVIRONMENT + "/api-keys/{key}/revoke",
        status=204,
        missing=[
            ENVIRONMENT + "/api-keys/key_00000000000000000000000000/revoke",
            ENVIRONMENT + "/api-keys/x/revoke",
            "/admin/api/environments/{rotating}/api-keys/{key}/revoke",
        ],
        action="api_key.revoke",
    ),
    "GET /admin/api/environments/{env}/notifications": Line(
        capability="read",
        path=ENVIRONMENT + "/notifications",
        status=200,
        malformed=[*BAD_PAGES, "?status=gone", "?after=yesterday", "?category=", "?subscriber_id="],
        missing=[path + "/notifications" for path in NO_ENVIRONMENT],
    ),
    "GET /admin/api/environments/{env}/notifications/{id}": Line(
        capability="read",
        path=ENVIRONMENT + "/notifications/{notification}",
        status=200,
        missing=[
            ENVIRONMENT + "/notifications/notif_00000000000000000000000000",
            ENVIRONMENT + "/notifications/{broadcast}",
            "/admin/api/environments/{rotating}/notifications/{notification}",
        ],
    ),
    "GET /admin/api/environments/{env}/notifications/{id}/timeline": Line(
        capability="read",
        path=ENVIRONMENT + "/notifications/{notification}/timeline",
        status=200,
        missing=[
            ENVIRONMENT + "/notifications/{broadcast}/timeline",
            "/admin/api/environments/{rotating}/notifications/{notification}/timeline",
        ],
    ),
    "GET /admin/api/environments/{env}/broadcasts": Line(
        capability="read",
        path=ENVIRONMENT + "/broadcasts",
        status=200,
        malformed=[*BAD_PAGES, "?status=gone"],
        missing=[path + "/broadcasts" for path in NO_ENVIRONMENT],
    ),
    "POST /admin/api/environments/{env}/broadcasts": Line(
        capability="broadcast:compose",
        path=ENVIRONMENT + "/broadcasts",
        status=201,
        body={"category": "news", "payload": {"title": "Hi", "body": SECRET_PAYLOAD}},
        malformed=[
            *NOT_A_BODY,
            {"category": ""},
            {"category": "news", "payload": []},
            {"category": "news", "payload": {"title": "x" * 16_384}},
            {"category": "news", "deliver_at": "tomorrow"},
            {"category": "news", "subscriber_id": "ada"},
        ],
        missing=[path + "/broadcasts" for path in NO_ENVIRONMENT],
        action="broadcast.send",
    ),
    "GET /admin/api/environments/{env}/broadcasts/{id}": Line(
        capability="read",
        path=ENVIRONMENT + "/broadcasts/{broadcast}",
        status=200,
        missing=[
            ENVIRONMENT + "/broadcasts/{notification}",
            "/admin/api/environments/{rotating}/broadcasts/{broadcast}",
        ],
    ),
    "DELETE /admin/api/environments/{env}/broadcasts/{id}": Line(
        capability="broadcast:compose",
        path=ENVIRONMENT + "/broadcasts/{broadcast}",
        status=204,
        missing=[
            ENVIRONMENT + "/broadcasts/{notification}",
            ENVIRONMENT + "/broadcasts/x",
            "/admin/api/environments/{rotating}/broadcasts/{broadcast}",
        ],
        action="broadcast.delete",
    ),
    "GET /admin/api/environments/{env}/audience": Line(
        capability="read",
        path=ENVIRONMENT + "/audience",
        status=200,
        malformed=["?category=", "?category=a&category=b"],
        missing=[path + "/audience" for path in NO_ENVIRONMENT],
    ),
    "GET /admin/api/environments/{env}/subscribers": Line(
        capability="read",
        path=ENVIRONMENT + "/subscribers",
        status=200,
        malformed=BAD_PAGES,
        missing=[path + "/subscribers" for path in NO_ENVIRONMENT],
    ),
    "GET /admin/api/environments/{env}/subscribers/{subscriber_id}": Line(
        capability="read",
        path=ENVIRONMENT + "/subscribers/ada",
        status=200,
        missing=[
            ENVIRONMENT + "/subscribers/nobody",
            "/admin/api/environments/{rotating}/subscribers/ada",
            *(path + "/subscribers/ada" for path in NO_ENVIRONMENT),
        ],
    ),
    "GET /admin/api/dlq": Line(
        capability="read", path="/admin/api/dlq", status=200, malformed=[*BAD_PAGES, "?environment="]
    ),
    "POST /admin/api/dlq/{job}/replay": Line(
        capability="dlq:replay",
        path="/admin/api/dlq/{job}/replay",
        status=200,
        missing=["/admin/api/dlq/job_00000000000000000000000000/replay", "/admin/api/dlq/x/replay"],
        action="dead_letter.replay",
    ),
    "POST /admin/api/dlq/replay-all": Line(
        capability="dlq:replay",
        path="/admin/api/dlq/replay-all",
        status=200,
        malformed=["?environment=", "?environment=a&environment=b"],
        action="dead_letter.replay_all",
    ),
    "GET /admin/api/overview": Line(capability="read", path="/admin/api/overview", status=200),
    "GET /admin/api/audit": Line(
        capability="user:manage", path="/admin/api/audit", status=200, malformed=BAD_PAGES
    ),
}


async def make_things(pool: Pool) -> dict[str, str]:
    """New ones of all that paths and bodies name. env, rotating: slugs; the other things are of env."""
    user, number = await make_admin(pool, "viewer"), next(_numbers)
    environment = await make_environment(pool, f"env-{number}")
    rotating = await make_environment(pool, f"rotating-{number}")
    async with (
        redis.connect(NO_REDIS) as nowhere,
        pool.acquire() as connection,
    ):
        publisher = Publisher(pool, nowhere)  # which never runs: its jobs are left
        await environments.rotate_secret(connection, rotating.id, "bws_next")
        job_id = await add_job(connection, environment)
        for _ in range(10):
            await outbox.fail_job(connection, environment.id, job_id, "no")
        key_id = await connection.fetchval(
            "SELECT id FROM api_keys WHERE environment_id = $1", environment.id
        )
        sent = await Notifications(pool, publisher).send(
            environment.id, NotificationRequest(subscriber_id="ada", category="news")
        )
        announced = await Broadcasts(pool, publisher).send(environment.id, BroadcastRequest(category="news"))
    return {
        "user": user.id,
        "user_email": user.email,
        "env": environment.slug,
        "rotating": rotating.slug,
        "key": ids.encode("key", key_id),
        "notification": sent.sent.notifications[0].id,
        "broadcast": announced.sent.id,
        "job": ids.encode("job", job_id),
    }


def filled(template: Any, things: Mapping[str, str]) -> Any:
    """A path or body with its {names} replaced."""
    if isinstance(template, str):
        for name, value in things.items():
            template = template.replace(f"{{{name}}}", value)
        return template
    if isinstance(template, Mapping):
        return {name: filled(value, things) for name, value in template.items()}
    return template
