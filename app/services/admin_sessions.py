"""Logging in and out of the admin plane. Nothing of a session is kept in memory: each request asks."""

from typing import Final

import msgspec

from app import telemetry
from app.contract import ids
from app.contract.admin import LoginRequest, Me
from app.contract.errors import RateLimited, Unauthorized
from app.db import admin_sessions, admin_users, audit
from app.db.admin_sessions import AdminIdentity
from app.db.pool import Pool, acquire
from app.security import keys
from app.security.passwords import Passwords

_REFUSED: Final = "wrong email or password"


class Begun(msgspec.Struct, frozen=True):
    """token: for the cookie; stored nowhere."""

    token: str
    me: Me

    def __repr__(self) -> str:
        return f"Begun({self.me.email!r})"


class AdminSessions:
    def __init__(self, pool: Pool, passwords: Passwords) -> None:
        self._pool = pool
        self._passwords = passwords

    async def log_in(self, wanted: LoginRequest, address: str) -> Begun:
        """address: whom the limit per address is for.

        Raises Unauthorized (unknown, disabled, wrong password: no caller can tell which), RateLimited,
        Unavailable.
        """
        async with acquire(self._pool) as connection:
            attempt = await admin_sessions.begin_login(connection, wanted.email, address)
            if attempt.id is None:
                telemetry.rate_limited.labels("admin").inc()
                raise RateLimited("too many failed log-ins", retry_after_s=attempt.wait_s)
            user = await admin_users.select_by_email(connection, wanted.email)
        with telemetry.password_check.time():  # without a connection: others need it meanwhile
            matches = await self._passwords.matches(
                wanted.password, None if user is None else user.password_hash
            )
        if user is None or not matches or user.disabled:
            raise Unauthorized(_REFUSED)
        token = keys.new_session_token()
        async with acquire(self._pool) as connection, connection.transaction():
            identity = await admin_sessions.insert_session(
                connection,
                user.id,
                password_hash=user.password_hash,
                token_hash=keys.key_hash(token),
            )
            if identity is None:  # disabled, deleted or with another password since
                raise Unauthorized(_REFUSED)
            await admin_sessions.settle_login(connection, wanted.email, address, attempt.id)
            await audit.insert_entry(connection, identity, "session.login", details={"address": address})
        return Begun(token, describe(identity))

    async def identity(self, token: str) -> AdminIdentity | None:
        """Whose session it is, as of now; None where it has ended. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            return await admin_sessions.select_session(connection, keys.key_hash(token))

    async def log_out(self, admin: AdminIdentity) -> None:
        """Ends this session and no other of theirs. Raises Unavailable."""
        async with acquire(self._pool) as connection, connection.transaction():
            await admin_sessions.delete_session(connection, admin.session)
            await audit.insert_entry(connection, admin, "session.logout")


def describe(admin: AdminIdentity) -> Me:
    return Me(
        id=ids.encode("adm", admin.id),
        email=admin.email,
        name=admin.name,
        role=admin.role,
        capabilities=sorted(admin.capabilities),
    )
