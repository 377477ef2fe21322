"""Who is logged in, by the SHA-256 of the session's token; and the log-ins that failed."""

from typing import Final
from uuid import UUID

import msgspec

from app.contract.admin import CAPABILITIES, Capability, Role
from app.db.pool import Connection, fetch_one


class AdminIdentity(msgspec.Struct, frozen=True):
    """An administrator who is logged in, as of this request.

    session: the hash of their token. acts_by: the capability that the request takes, None where it takes
    none.
    """

    id: UUID
    email: str
    name: str
    role: Role
    session: bytes
    acts_by: Capability | None = None

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


LOCK_SESSION: Final = """
SELECT u.role FROM admin_sessions s JOIN admin_users u ON u.id = s.user_id
WHERE s.token_hash = $1 AND s.expires_at > clock_timestamp() AND NOT u.disabled
FOR SHARE
"""


async def lock_session(connection: Connection, token_hash: bytes) -> Role | None:
    """The role of whose session it is, None where it has ended; so it stays until the transaction ends."""
    role: Role | None = await connection.fetchval(LOCK_SESSION, token_hash)
    return role


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


DELETE_SESSION: Final = """
DELETE FROM admin_sessions WHERE token_hash = $1 AND expires_at > clock_timestamp() RETURNING true
"""


async def delete_session(connection: Connection, token_hash: bytes) -> bool:
    """Whether it had not ended before."""
    return await connection.fetchval(DELETE_SESSION, token_hash) is not None


DELETE_SESSIONS_OF: Final = "DELETE FROM admin_sessions WHERE user_id = $1"


async def delete_sessions_of(connection: Connection, user_id: UUID) -> None:
    await connection.execute(DELETE_SESSIONS_OF, user_id)


LOGIN_WAIT: Final = "SELECT login_wait_s($1, $2)"


async def login_wait_s(connection: Connection, email: str, address: str) -> int:
    """Seconds until a log-in may be tried, 0 for now. address: whom the limit per address is for."""
    wait_s: int = (await fetch_one(connection, LOGIN_WAIT, email, address))[0]
    return wait_s


SETTLE_LOGIN: Final = "SELECT settle_login($1, $2, $3)"


async def settle_login(connection: Connection, email: str, address: str, *, failed: bool) -> int:
    """Counts a failure, or forgets the email's; unless it may not be tried, by what was settled before.

    Returns what login_wait_s() does. The transaction's end lets the next attempt be settled.
    """
    wait_s: int = (await fetch_one(connection, SETTLE_LOGIN, email, address, failed))[0]
    return wait_s
