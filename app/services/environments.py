"""Environments: made, changed, and their secrets rotated by operators, not by requests of theirs."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from app.contract import ids, timestamps
from app.contract.admin import AuditAction, check_name
from app.contract.admin_environments import Environment, EnvironmentDetail, Rotation, check_slug
from app.contract.errors import Conflict, InvalidRequest, NotFound
from app.contract.resources import Listing
from app.db import audit, environments
from app.db.admin_sessions import AdminIdentity
from app.db.environments import EnvironmentRecord
from app.db.pool import Connection, Pool, acquire
from app.security import keys
from app.services import places
from app.services.acting import acting


class Environments:
    """actor: who asks; None for whoever runs the server. env: an environment's id, or its slug."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, env: str) -> EnvironmentRecord:
        """Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            return await existing(connection, env)

    async def page(self, *, before: UUID | None, limit: int) -> Listing[Environment]:
        """Newest first. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            found = await environments.select_records(connection, before=before, limit=limit + 1)
        return Listing(
            items=[_environment(one) for one in found[:limit]],
            next_cursor=places.encode_place(found[limit - 1].id) if len(found) > limit else None,
        )

    async def create(
        self, actor: AdminIdentity | None, *, slug: str, name: str, require_subscriber_hash: bool
    ) -> EnvironmentRecord:
        """Raises InvalidRequest, Conflict (the slug is taken), Unavailable."""
        async with acting(self._pool, actor) as connection:
            return await create(
                connection, actor, slug=slug, name=name, require_subscriber_hash=require_subscriber_hash
            )

    async def update(
        self, actor: AdminIdentity, env: str, *, name: str | None, require_subscriber_hash: bool | None
    ) -> EnvironmentRecord:
        """None leaves a value as it is. Who has no proof is out within seconds of its being required.

        Raises NotFound, Unavailable.
        """
        given = {"name": name, "require_subscriber_hash": require_subscriber_hash}
        details = {field: value for field, value in given.items() if value is not None}
        async with acting(self._pool, actor) as connection:
            environment = await existing(connection, env)
            if not details:
                return environment
            updated = await environments.update_environment(
                connection, environment.id, name=name, require_subscriber_hash=require_subscriber_hash
            )
            await _record(connection, actor, "environment.update", environment, details)
        return updated

    async def rotate_secret(self, actor: AdminIdentity, env: str) -> Rotation:
        """A new secret. The one before it is good until the rotation is completed, or the next begins.

        Raises NotFound, Unavailable.
        """
        secret = keys.new_environment_secret()
        async with acting(self._pool, actor) as connection:
            environment = await existing(connection, env)
            rotated_at = await environments.rotate_secret(connection, environment.id, secret)
            await _record(connection, actor, "hmac.rotate", environment)
        return Rotation(
            subscriber_hmac_secret=secret,
            has_previous_secret=True,
            subscriber_hmac_rotated_at=timestamps.format_datetime(rotated_at),
        )

    async def complete_rotation(self, actor: AdminIdentity, env: str) -> None:
        """What the previous secret proved is over within seconds. Raises NotFound, Unavailable."""
        async with acting(self._pool, actor) as connection:
            environment = await existing(connection, env)
            if await environments.forget_previous_secret(connection, environment.id):
                await _record(connection, actor, "hmac.complete", environment)


async def create(
    connection: Connection,
    actor: AdminIdentity | None,
    *,
    slug: str,
    name: str,
    require_subscriber_hash: bool,
) -> EnvironmentRecord:
    """In the transaction of the caller. Raises InvalidRequest, Conflict (the slug is taken)."""
    try:
        check_slug(slug)
        check_name(name)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    created = await environments.insert_environment(
        connection,
        slug=slug,
        name=name,
        require_subscriber_hash=require_subscriber_hash,
        secret=keys.new_environment_secret(),
    )
    if created is None:
        raise Conflict(f"slug {slug} is taken")
    await audit.insert_entry(
        connection,
        actor,
        "environment.create",
        target=ids.encode("env", created),
        environment_slug=slug,
        details={"name": name, "require_subscriber_hash": require_subscriber_hash},
    )
    return await existing(connection, ids.encode("env", created))


async def existing(connection: Connection, env: str) -> EnvironmentRecord:
    """Raises NotFound."""
    found = await environments.select_record(connection, environment_id=ids.decode("env", env), slug=env)
    if found is None:
        raise NotFound("no such environment")
    return found


def to_detail(environment: EnvironmentRecord, *, with_secret: bool) -> EnvironmentDetail:
    return EnvironmentDetail(
        id=ids.encode("env", environment.id),
        slug=environment.slug,
        name=environment.name,
        require_subscriber_hash=environment.require_subscriber_hash,
        created_at=timestamps.format_datetime(environment.created_at),
        has_previous_secret=environment.has_previous_secret,
        subscriber_hmac_rotated_at=timestamps.format_optional(environment.secret_rotated_at),
        subscriber_hmac_secret=environment.secret if with_secret else msgspec.UNSET,
    )


async def _record(
    connection: Connection,
    actor: AdminIdentity,
    action: AuditAction,
    environment: EnvironmentRecord,
    details: Mapping[str, object] | None = None,
) -> None:
    await audit.insert_entry(
        connection,
        actor,
        action,
        target=ids.encode("env", environment.id),
        environment_slug=environment.slug,
        details=details,
    )


def _environment(environment: EnvironmentRecord) -> Environment:
    return Environment(
        id=ids.encode("env", environment.id),
        slug=environment.slug,
        name=environment.name,
        require_subscriber_hash=environment.require_subscriber_hash,
        created_at=timestamps.format_datetime(environment.created_at),
    )
