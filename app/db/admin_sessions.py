"""Who is logged in, by the SHA-256 of the session's token; and the log-ins that failed."""

from typing import Final
from uuid import UUID

import msgspec

from app.contract.admin import CAPABILITIES, Capability, Role
from app.db.pool import Connection, fetch_one


class AdminIdentity(msgspec.Struct, frozen=True):
    """An administrator who is logged in, as of this request. session: the hash of their token."""

    id: UUID
    email: str
    name: str
    role: Role
    session: bytes

    @property
    def capabilities(self) -> frozenset[Capability]:
        return CAPABILITIES[self.role]

    def __repr__(self) -> str:
        return f"AdminIdentity({self.email!r}, {self.role!r})"


SELECT_SESSION: Final = """
SELECT u.id, u.email, u.name, u.role, s.token_hash
FROM admin_sessions s JOIN admin_users u ON u.id = s.user_id
WHERE s.token_hash = $1 AND s.expires_at > clock_timestamp() AND NOT u.disabled
"""


async def select_session(connection: Connection, token_hash: bytes) -> AdminIdentity | None:
    """Whose session it is, None where it has ended or never began."""
    row = await connection.fetchrow(SELECT_SESSION, token_hash)
    return None if row is None else AdminIdentity(*row)


# Whoever disables the user or changes the password waits for the share lock, and then ends this session too.
INSERT_SESSION: Final = """
WITH proven AS (
    SELECT id, email, name, role FROM admin_users
    WHERE id = $1 AND password_hash = $2 AND NOT disabled FOR SHARE
), begun AS (
    INSERT INTO admin_sessions (token_hash, user_id, expires_at)
    SELECT $3, id, clock_timestamp() + interval '8 hours' FROM proven
    RETURNING token_hash
)
SELECT p.id, p.email, p.name, p.role, b.token_hash FROM proven p, begun b
"""


async def insert_session(
    connection: Connection, user_id: UUID, *, password_hash: str, token_hash: bytes
) -> AdminIdentity | None:
    """None where the user is gone, disabled, or has another password by now."""
    row = await connection.fetchrow(INSERT_SESSION, user_id, password_hash, token_hash)
    return None if row is None else AdminIdentity(*row)


DELETE_SESSION: Final = "DELETE FROM admin_sessions WHERE token_hash = $1"


async def delete_session(connection: Connection, token_hash: bytes) -> None:
    await connection.execute(DELETE_SESSION, token_hash)


DELETE_SESSIONS_OF: Final = "DELETE FROM admin_sessions WHERE user_id = $1"


async def delete_sessions_of(connection: Connection, user_id: UUID) -> None:
    await connection.execute(DELETE_SESSIONS_OF, user_id)


class Attempt(msgspec.Struct, frozen=True):
    """A log-in that may be tried, and counts as failed until it is settled; or seconds to wait for one."""

    id: UUID | None
    wait_s: int


BEGIN_LOGIN: Final = "SELECT attempt, wait_s FROM begin_login($1, $2)"


async def begin_login(connection: Connection, email: str, address: str) -> Attempt:
    """address: whom the limit per address is for."""
    return Attempt(*await fetch_one(connection, BEGIN_LOGIN, email, address))


SETTLE_LOGIN: Final = """
DELETE FROM login_failures
WHERE (kind = 'email' AND subject = $1) OR (kind = 'address' AND subject = $2 AND attempt = $3)
"""


async def settle_login(connection: Connection, email: str, address: str, attempt: UUID) -> None:
    """It succeeded: it is no failure, and the email's are forgotten."""
    await connection.execute(SETTLE_LOGIN, email, address, attempt)
