"""Administrators, and what they send."""

import functools
import itertools
from typing import Final
from uuid import UUID

import argon2
import httpx
import msgspec

from app.contract import ids
from app.contract.admin import Role
from app.db import admin_sessions, admin_users
from app.db.pool import Pool
from app.security import keys

PASSWORD: Final = "correct horse battery"
MARKED: Final = {"X-Bellwire-Admin": "1"}
_numbers: Final = itertools.count(1)


class Admin(msgspec.Struct, frozen=True):
    """Somebody who is logged in; their password is PASSWORD. token: what their cookie holds."""

    user_id: UUID
    email: str
    token: str

    @property
    def id(self) -> str:
        return ids.encode("adm", self.user_id)

    @property
    def headers(self) -> dict[str, str]:
        return {**MARKED, "Cookie": f"bellwire_admin={self.token}"}

    def client(self, base_url: httpx.URL) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=base_url, headers=self.headers, timeout=30, trust_env=False)


@functools.cache
def password_hash() -> str:
    """Computed once: it takes a while by design."""
    return argon2.PasswordHasher().hash(PASSWORD)


async def make_admin(pool: Pool, role: Role = "admin", email: str | None = None) -> Admin:
    async with pool.acquire() as connection, connection.transaction():
        user = await admin_users.insert_user(
            connection,
            email=email or f"{role}-{next(_numbers)}@example.com",
            name=role.title(),
            role=role,
            password_hash=password_hash(),
        )
        assert user is not None
        admin = Admin(user.id, user.email, keys.new_session_token())
        assert await admin_sessions.insert_session(
            connection, user.id, password_hash=password_hash(), token_hash=keys.key_hash(admin.token)
        )
    return admin


async def log_in(
    client: httpx.AsyncClient, email: str, password: str = PASSWORD, **headers: str
) -> httpx.Response:
    client.cookies.clear()
    body = {"email": email, "password": password}
    return await client.post("/admin/api/login", json=body, headers={**MARKED, **headers})
