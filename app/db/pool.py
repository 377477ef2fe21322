"""The PostgreSQL pool: plans cached, reconnects by itself, one clear error while the server is away."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias, TypeVar

import asyncpg

from app import telemetry
from app.contract.errors import Unavailable

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Pool: TypeAlias = asyncpg.Pool
T = TypeVar("T")

ACQUIRE_TIMEOUT_S: Final = 2.0
STATEMENT_TIMEOUT_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = 2.0
RETRIES: Final = 8

# What says that the server is not there, rather than that the statement is wrong.
AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # too many connections, a full disk
    asyncpg.IdleSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.ReadOnlySQLTransactionError,  # a failover left us on a replica
    asyncpg.InternalClientError,  # the goodbye came in while a statement was about to be sent
)
# What says that DATABASE_URL is wrong, though the server is there.
REFUSED: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
# What says that the schema is not this release's, or not yet.
UNMIGRATED: Final = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
)
MIGRATIONS_PENDING: Final = "migrations are pending: run bellwire migrate"
# What another try of the same transaction may cure: it has been rolled back whole.
RETRYABLE: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        """Nothing: no statement here outlives its transaction, and a reset is a round trip each time."""
        return ""


@asynccontextmanager
async def create_pool(
    database_url: str, *, size: int, name: str, durable: bool = True
) -> AsyncGenerator[Pool]:
    """A pool, not yet connected. name: in pg_stat_activity as `bellwire <name>`, and in the metrics.

    durable False: a commit does not wait for the disk, and may be lost where the server crashes.
    """
    async with asyncpg.create_pool(
        database_url,
        connection_class=_Connection,
        min_size=0,
        max_size=size,
        command_timeout=STATEMENT_TIMEOUT_S,
        max_inactive_connection_lifetime=300,
        server_settings={
            "application_name": f"bellwire {name}",
            "plan_cache_mode": "force_generic_plan",  # planning a page costs more than running it
            # Every statement starts from few rows and looks the others up. A plan made while a table was
            # small is kept when it has grown: none may read a table whole because that was cheap then.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            "enable_bitmapscan": "off",  # loses the index's order, and then sorts all there is for a page
            "jit": "off",
            "timezone": "UTC",
            **({} if durable else {"synchronous_commit": "off"}),
        },
    ) as pool:
        telemetry.pools.watch(name, pool)
        try:
            yield pool
        finally:
            await _close(pool)


async def _close(pool: Pool) -> None:
    """A server that does not answer holds nobody up, and neither does one that is gone."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await pool.close()
    except AWAY:
        pool.terminate()


@asynccontextmanager
async def acquire(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection, each statement a transaction of its own.

    Raises Unavailable where PostgreSQL is away, refuses or is not migrated, or no connection is free in time.
    """
    connection: Connection | None = None
    try:
        # Not by the pool's own timeout, which costs a task each time.
        async with asyncio.timeout(ACQUIRE_TIMEOUT_S) as waiting, pool.acquire() as connection:
            waiting.reschedule(None)
            try:
                yield connection
            except (*AWAY, asyncio.CancelledError):
                # Nobody knows what state it is in, and to ask a silent server to stop would take as long.
                with suppress(asyncpg.InterfaceError):  # the pool has taken it back already
                    connection.terminate()
                raise
    except AWAY as error:
        raise Unavailable("the database is not available; try again shortly") from error
    except UNMIGRATED as error:
        raise Unavailable(MIGRATIONS_PENDING) from error
    except asyncpg.PostgresError as error:
        if connection is not None:
            raise
        raise Unavailable("the database refuses connections; try again shortly") from error


CAN_WRITE: Final = "SELECT NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::bool"


async def check_writable(connection: Connection) -> None:
    """Raises ReadOnlySQLTransactionError, as a write would: a failover left us on a replica."""
    if not (await fetch_one(connection, CAN_WRITE))[0]:
        raise asyncpg.ReadOnlySQLTransactionError("the database takes no writes")


async def fetch_one(connection: Connection, statement: str, *arguments: object) -> asyncpg.Record:
    """The row of a statement that always has one."""
    row = await connection.fetchrow(statement, *arguments)
    assert row is not None  # noqa: S101 - the statement says so
    return row


async def run(pool: Pool, statement: Callable[[Connection], Awaitable[T]]) -> T:
    """One statement, tried again where a deadlock or a concurrent erasure rolled it back.

    Only for statements that are one transaction each. Raises Unavailable.
    """
    for attempt in range(RETRIES):
        try:
            async with acquire(pool) as connection:
                return await statement(connection)
        except RETRYABLE as error:
            if attempt == RETRIES - 1:
                raise Unavailable("too much contention on this inbox; try again shortly") from error
            await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - jitter
    raise AssertionError("unreachable")
