"""What an administrator may do is asked again in the transaction of each write: it acts at once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.contract.admin import CAPABILITIES, Capability, Role
from app.contract.errors import Forbidden, Unauthorized
from app.db import admin_sessions
from app.db.admin_sessions import AdminIdentity
from app.db.pool import Connection, Pool, acquire


def no_session() -> Unauthorized:
    return Unauthorized("log in first: no session, or it has ended")


def check_role(role: Role, capability: Capability | None) -> None:
    """capability: None where everybody has it. Raises Forbidden."""
    if capability is not None and capability not in CAPABILITIES[role]:
        raise Forbidden(f"the role {role} has no {capability}")


async def confirm(connection: Connection, actor: AdminIdentity | None) -> None:
    """From here to the end of the transaction they stay logged in and what they are.

    Whoever disables, demotes, deletes or logs them out waits for that end, or came first and is seen here.
    actor: None for whoever runs the server. Raises Unauthorized, Forbidden.
    """
    if actor is None:
        return
    role = await admin_sessions.lock_session(connection, actor.session)
    if role is None:
        raise no_session()
    check_role(role, actor.acts_by)


@asynccontextmanager
async def acting(pool: Pool, actor: AdminIdentity | None) -> AsyncGenerator[Connection]:
    """The transaction of a write by this actor. Raises what confirm() raises, Unavailable."""
    async with acquire(pool) as connection, connection.transaction():
        await confirm(connection, actor)
        yield connection
