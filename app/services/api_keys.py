"""Management keys: made, shown and revoked by operators. Their plaintext is stored nowhere."""

from uuid import UUID

from app.contract import ids, timestamps
from app.contract.admin import check_name
from app.contract.admin_environments import ApiKey, NewApiKey
from app.contract.errors import Conflict, InvalidRequest, NotFound
from app.contract.resources import Listing
from app.db import api_keys, audit
from app.db.admin_sessions import AdminIdentity
from app.db.api_keys import ApiKeyRecord
from app.db.environments import EnvironmentRecord
from app.db.pool import Connection, Pool, acquire
from app.security import keys
from app.services import places
from app.services.acting import acting
from app.services.environments import existing


class ApiKeys:
    """actor: who asks; None for whoever runs the server. env: an environment's id, or its slug."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, env: str, *, before: UUID | None, limit: int) -> Listing[ApiKey]:
        """Newest first, revoked ones included. Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            environment = await existing(connection, env)
            found = await api_keys.select_records(connection, environment.id, before=before, limit=limit + 1)
        return Listing(
            items=[_api_key(one) for one in found[:limit]],
            next_cursor=places.encode_place(found[limit - 1].id) if len(found) > limit else None,
        )

    async def create(self, actor: AdminIdentity | None, env: str, *, name: str) -> NewApiKey:
        """Raises InvalidRequest, NotFound (no such environment), Unavailable."""
        async with acting(self._pool, actor) as connection:
            return await create(
                connection, actor, await existing(connection, env), name=name, key=keys.new_api_key()
            )

    async def revoke(self, actor: AdminIdentity | None, env: str | None, key: str) -> None:
        """key: its TypeID. Acts within a second on every replica; once is enough, and again is fine.

        env: None where it may be any. Raises NotFound (also for a key of another environment), Unavailable.
        """
        key_id = ids.decode("key", key)
        async with acting(self._pool, actor) as connection:
            if env is None:
                owner = None if key_id is None else await api_keys.select_environment_of(connection, key_id)
                if owner is None:
                    raise NotFound(f"no key {key}")
                env = ids.encode("env", owner)
            environment = await existing(connection, env)
            record = (
                None if key_id is None else await api_keys.select_record(connection, environment.id, key_id)
            )
            if record is None:
                raise NotFound("no such key in this environment")
            if await api_keys.revoke_api_key(connection, environment.id, record.id):
                await audit.insert_entry(
                    connection,
                    actor,
                    "api_key.revoke",
                    target=key,
                    environment_slug=environment.slug,
                    details={"name": record.name},
                )


async def create(
    connection: Connection,
    actor: AdminIdentity | None,
    environment: EnvironmentRecord,
    *,
    name: str,
    key: str,
) -> NewApiKey:
    """In the transaction of the caller. Raises InvalidRequest, Conflict (this very key exists)."""
    try:
        check_name(name)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    created = await api_keys.insert_api_key(
        connection,
        environment.id,
        name=name,
        key_hash=keys.key_hash(key),
        key_prefix=keys.display_prefix(key),
    )
    record = None if created is None else await api_keys.select_record(connection, environment.id, created)
    if record is None:
        raise Conflict("this very key exists")
    await audit.insert_entry(
        connection,
        actor,
        "api_key.create",
        target=ids.encode("key", record.id),
        environment_slug=environment.slug,
        details={"name": name},
    )
    shown = _api_key(record)
    return NewApiKey(
        id=shown.id, name=name, key_prefix=shown.key_prefix, key=key, created_at=shown.created_at
    )


def _api_key(record: ApiKeyRecord) -> ApiKey:
    return ApiKey(
        id=ids.encode("key", record.id),
        name=record.name,
        key_prefix=record.key_prefix,
        created_at=timestamps.format_datetime(record.created_at),
        last_used_at=timestamps.format_optional(record.last_used_at),
        revoked_at=timestamps.format_optional(record.revoked_at),
    )
