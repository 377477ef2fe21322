"""What time takes away, and the partitions it needs next."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.db.delivery import Item, Removed
from app.db.pool import Connection, fetch_one

TRY_LOCK: Final = "SELECT pg_try_advisory_lock($1)"
_LOCK: Final = 0x72657461696E  # "retain"


async def try_lock(connection: Connection) -> bool:
    """Whether this session is now the one that cleans up; ends with the session, or unlock()."""
    locked: bool = (await fetch_one(connection, TRY_LOCK, _LOCK))[0]
    return locked


UNLOCK: Final = "SELECT pg_advisory_unlock($1)"


async def unlock(connection: Connection) -> None:
    await connection.execute(UNLOCK, _LOCK)


ENSURE_PARTITIONS: Final = "SELECT ensure_partitions($1)"


async def ensure_partitions(connection: Connection, months: int) -> None:
    await connection.execute(ENSURE_PARTITIONS, months)


SELECT_OLDEST_KEPT: Final = "SELECT oldest_kept($1)"


async def select_oldest_kept(connection: Connection, months: int) -> UUID:
    """The first position that is kept."""
    oldest: UUID = (await fetch_one(connection, SELECT_OLDEST_KEPT, months))[0]
    return oldest


RETIRE_ITEMS: Final = "SELECT environment_id, job_id, job, removed FROM retire_items($1, $2, $3)"


async def retire_items(
    connection: Connection, oldest: UUID, batch: int, set_aside: Sequence[UUID]
) -> Removed:
    """Removes up to `batch` items from before `oldest`, in one transaction."""
    return Removed.of(await connection.fetch(RETIRE_ITEMS, oldest, batch, set_aside))


SELECT_OLD_ITEMS: Final = "SELECT environment_id, position FROM old_items($1, $2, $3)"


async def select_old_items(
    connection: Connection, oldest: UUID, batch: int, set_aside: Sequence[UUID]
) -> list[Item]:
    """What retire_items() would remove."""
    return [Item(*row) for row in await connection.fetch(SELECT_OLD_ITEMS, oldest, batch, set_aside)]


SELECT_OLD_BROADCASTS: Final = "SELECT environment_id, id FROM old_broadcasts($1, $2)"


async def select_old_broadcasts(
    connection: Connection, oldest: UUID, set_aside: Sequence[UUID]
) -> list[Item]:
    """Those from before `oldest`, the first of each environment."""
    return [Item(*row) for row in await connection.fetch(SELECT_OLD_BROADCASTS, oldest, set_aside)]


FORGET_REQUESTS: Final = "SELECT forget_requests($1)"


async def forget_requests(connection: Connection, batch: int) -> int:
    forgotten: int = (await fetch_one(connection, FORGET_REQUESTS, batch))[0]
    return forgotten


FORGET_MOVES: Final = "SELECT forget_moves($1, $2)"


async def forget_moves(connection: Connection, oldest: UUID, batch: int) -> int:
    forgotten: int = (await fetch_one(connection, FORGET_MOVES, oldest, batch))[0]
    return forgotten


FORGET_OVERRIDES: Final = "SELECT forget_overrides($1)"


async def forget_overrides(connection: Connection, batch: int) -> int:
    forgotten: int = (await fetch_one(connection, FORGET_OVERRIDES, batch))[0]
    return forgotten


FORGET_SESSIONS: Final = "SELECT forget_sessions($1)"


async def forget_sessions(connection: Connection, batch: int) -> int:
    """Administrators' sessions that have ended."""
    forgotten: int = (await fetch_one(connection, FORGET_SESSIONS, batch))[0]
    return forgotten


FORGET_LOGIN_FAILURES: Final = "SELECT forget_login_failures($1)"


async def forget_login_failures(connection: Connection, batch: int) -> int:
    """Those that no longer count."""
    forgotten: int = (await fetch_one(connection, FORGET_LOGIN_FAILURES, batch))[0]
    return forgotten


class Partition(msgspec.Struct, frozen=True):
    """One that may go. state: how far dropping it got before."""

    table: str
    name: str
    state: Literal["attached", "detaching", "detached"]


SELECT_PARTITIONS_BEFORE: Final = "SELECT parent, partition, state FROM partitions_before($1)"


async def select_partitions_before(connection: Connection, oldest: UUID) -> list[Partition]:
    """Emptied ones that lie wholly before `oldest`, oldest first."""
    return [Partition(*row) for row in await connection.fetch(SELECT_PARTITIONS_BEFORE, oldest)]


DETACH_TIMEOUT_S: Final = 3600.0  # it waits for every transaction that may look into the partition
_DETACH: Final = {"attached": "CONCURRENTLY", "detaching": "FINALIZE"}


async def drop_partition(connection: Connection, partition: Partition) -> None:
    """Readers and writers do not wait, this does. Not in a transaction. Cut short, it is taken up again."""
    if partition.state != "detached":
        await connection.execute(
            f'ALTER TABLE "{partition.table}" DETACH PARTITION "{partition.name}" {_DETACH[partition.state]}',
            timeout=DETACH_TIMEOUT_S,
        )
    await connection.execute(f'DROP TABLE "{partition.name}"')
