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
from app.services.acting import no_session

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

        An attempt is judged once its password was checked, one after another: so no number of them at once
        passes a limit together, and what comes to no answer is no failure.

        Raises Unauthorized (unknown, disabled, wrong password: no caller can tell which), RateLimited,
        Unavailable.
        """
        async with acquire(self._pool) as connection:
            _check_wait(await admin_sessions.login_wait_s(connection, wanted.email, address))
            user = await admin_users.select_by_email(connection, wanted.email)
        with telemetry.password_check.time():  # without a connection: others need it meanwhile
            matches = await self._passwords.matches(
                wanted.password, None if user is None else user.password_hash
            )
        token = keys.new_session_token()
        identity = None
        async with acquire(self._pool) as connection, connection.transaction():
            if user is not None and matches and not user.disabled:
                identity = await admin_sessions.insert_session(
                    connection,
                    user.id,
                    password_hash=user.password_hash,
                    token_hash=keys.key_hash(token),
                )
            _check_wait(
                await admin_sessions.settle_login(connection, wanted.email, address, failed=identity is None)
            )
            if identity is not None:
                await audit.insert_entry(connection, identity, "session.login", details={"address": address})
        if identity is None:
            raise Unauthorized(_REFUSED)
        return Begun(token, describe(identity))

    async def identity(self, token: str) -> AdminIdentity | None:
        """Whose session it is, as of now; None where it has ended. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            return await admin_sessions.select_session(connection, keys.key_hash(token))

    async def log_out(self, admin: AdminIdentity) -> None:
        """Ends this session and no other of theirs. Raises Unauthorized (it has ended), Unavailable."""
        async with acquire(self._pool) as connection, connection.transaction():
            if not await admin_sessions.delete_session(connection, admin.session):
                raise no_session()
            await audit.insert_entry(connection, admin, "session.logout")


def _check_wait(wait_s: int) -> None:
    """Raises RateLimited."""
    if wait_s:
        telemetry.rate_limited.labels("admin").inc()
        raise RateLimited("too many failed log-ins", retry_after_s=wait_s)


def describe(admin: AdminIdentity) -> Me:
    return Me(
        id=ids.encode("adm", admin.id),
        email=admin.email,
        name=admin.name,
        role=admin.role,
        capabilities=sorted(admin.capabilities),
    )
