"""Administrators. Whoever writes locks the table first, in the transaction of the write."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.contract.admin import Role
from app.db.pool import Connection, fetch_one


class AdminUser(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    name: str
    role: Role
    disabled: bool
    created_at: datetime
    updated_at: datetime
    password_hash: str

    @property
    def is_enabled_admin(self) -> bool:
        return self.role == "admin" and not self.disabled

    def __repr__(self) -> str:
        return f"AdminUser({self.email!r}, {self.role!r})"


# Whoever writes waits, and so does whoever logs in or acts: what is read after this stays true until the end.
# They wait in turn: no number of requests by somebody puts off the one that disables them.
LOCK_USERS: Final = "LOCK TABLE admin_users IN EXCLUSIVE MODE"


async def lock_users(connection: Connection) -> None:
    await connection.execute(LOCK_USERS)


SELECT_USERS: Final = """
SELECT id, email, name, role, disabled, created_at, updated_at, password_hash FROM admin_users
WHERE id < coalesce($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC LIMIT $2
"""


async def select_users(connection: Connection, *, before: UUID | None, limit: int) -> Sequence[AdminUser]:
    """Newest first. before: the last one of the page before."""
    return [AdminUser(*row) for row in await connection.fetch(SELECT_USERS, before, limit)]


SELECT_USER: Final = """
SELECT id, email, name, role, disabled, created_at, updated_at, password_hash FROM admin_users
WHERE id = $1
"""


async def select_user(connection: Connection, user_id: UUID) -> AdminUser | None:
    row = await connection.fetchrow(SELECT_USER, user_id)
    return None if row is None else AdminUser(*row)


SELECT_BY_EMAIL: Final = """
SELECT id, email, name, role, disabled, created_at, updated_at, password_hash FROM admin_users
WHERE email = $1
"""


async def select_by_email(connection: Connection, email: str) -> AdminUser | None:
    """email: as app.contract.admin.normal_email spells it."""
    row = await connection.fetchrow(SELECT_BY_EMAIL, email)
    return None if row is None else AdminUser(*row)


INSERT_USER: Final = """
INSERT INTO admin_users (id, email, name, role, password_hash)
VALUES (position_at(clock_us()), $1, $2, $3, $4)
ON CONFLICT (email) DO NOTHING
RETURNING id, email, name, role, disabled, created_at, updated_at, password_hash
"""


async def insert_user(
    connection: Connection, *, email: str, name: str, role: Role, password_hash: str
) -> AdminUser | None:
    """None where the email is taken."""
    row = await connection.fetchrow(INSERT_USER, email, name, role, password_hash)
    return None if row is None else AdminUser(*row)


UPDATE_USER: Final = """
UPDATE admin_users SET
    name = coalesce($2, name), role = coalesce($3, role), disabled = coalesce($4, disabled),
    password_hash = coalesce($5, password_hash), updated_at = clock_timestamp()
WHERE id = $1
RETURNING id, email, name, role, disabled, created_at, updated_at, password_hash
"""


async def update_user(
    connection: Connection,
    user_id: UUID,
    *,
    name: str | None = None,
    role: Role | None = None,
    disabled: bool | None = None,
    password_hash: str | None = None,
) -> AdminUser:
    """What is None stays. The user exists: the lock keeps whom it was seen by."""
    return AdminUser(*await fetch_one(connection, UPDATE_USER, user_id, name, role, disabled, password_hash))


DELETE_USER: Final = "DELETE FROM admin_users WHERE id = $1"


async def delete_user(connection: Connection, user_id: UUID) -> None:
    """With their sessions."""
    await connection.execute(DELETE_USER, user_id)
