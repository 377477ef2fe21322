"""Administrators: who they are, what they may do, and that one of them always can get in."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from app.contract import ids, timestamps
from app.contract.admin import PasswordRequest, User, UserRequest, UserUpdate, normal_email
from app.contract.errors import Conflict, Forbidden, NotFound
from app.contract.resources import Listing
from app.db import admin_sessions, admin_users, audit
from app.db.admin_sessions import AdminIdentity
from app.db.admin_users import AdminUser
from app.db.pool import Connection, Pool, acquire
from app.security.passwords import Passwords
from app.services import places
from app.services.acting import confirm, no_session


class AdminUsers:
    """actor: who asks; None for whoever runs the server."""

    def __init__(self, pool: Pool, passwords: Passwords) -> None:
        self._pool = pool
        self._passwords = passwords

    async def page(self, *, before: UUID | None, limit: int) -> Listing[User]:
        """Newest first. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            found = await admin_users.select_users(connection, before=before, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return Listing(
            items=[_user(one) for one in found[:limit]],
            next_cursor=None if last is None else places.encode_place(last.id),
        )

    async def find(self, email: str) -> User:
        """Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            user = await admin_users.select_by_email(connection, normal_email(email))
        if user is None:
            raise NotFound(f"no administrator {email}")
        return _user(user)

    async def create(self, actor: AdminIdentity | None, wanted: UserRequest) -> User:
        """Raises Conflict (the email is taken), Unavailable."""
        password_hash = await self._passwords.hash(wanted.password)
        async with self._writing(actor) as connection:
            user = await admin_users.insert_user(
                connection,
                email=wanted.email,
                name=wanted.name,
                role=wanted.role,
                password_hash=password_hash,
            )
            if user is None:
                raise Conflict("email is taken")
            await audit.insert_entry(
                connection,
                actor,
                "user.create",
                target=_id(user),
                details={"email": user.email, "name": user.name, "role": user.role},
            )
        return _user(user)

    async def update(self, actor: AdminIdentity, user_id: UUID | None, wanted: UserUpdate) -> User:
        """user_id: None where it can be nobody's. What they may do changes with their next request.

        Raises NotFound, Conflict (yourself), and as confirm() does; Unavailable.
        """
        async with self._writing(actor) as connection:
            user = await _existing(connection, user_id)
            loses_role = wanted.role is not None and wanted.role != "admin"
            if user.is_enabled_admin and (loses_role or wanted.disabled):
                _check_expendable(actor, user)
            updated = await admin_users.update_user(
                connection, user.id, name=wanted.name, role=wanted.role, disabled=wanted.disabled
            )
            if updated.disabled:
                await admin_sessions.delete_sessions_of(connection, user.id)
            given = {"name": wanted.name, "role": wanted.role, "disabled": wanted.disabled}
            await audit.insert_entry(
                connection,
                actor,
                "user.update",
                target=_id(user),
                details={
                    "email": user.email,
                    **{name: value for name, value in given.items() if value is not None},
                },
            )
        return _user(updated)

    async def delete(self, actor: AdminIdentity, user_id: UUID | None) -> None:
        """Raises NotFound, Conflict (yourself), and as confirm() does; Unavailable."""
        async with self._writing(actor) as connection:
            user = await _existing(connection, user_id)
            if user.is_enabled_admin:
                _check_expendable(actor, user)
            await admin_users.delete_user(connection, user.id)
            await audit.insert_entry(
                connection, actor, "user.delete", target=_id(user), details={"email": user.email}
            )

    async def set_password(
        self, actor: AdminIdentity | None, user_id: UUID | None, wanted: PasswordRequest
    ) -> None:
        """Ends all sessions of that user. One's own takes the current one.

        Raises NotFound, Forbidden (not the current one), Unavailable.
        """
        proven_by = None
        if actor is not None and user_id == actor.id:
            proven_by = await self._current_hash(actor, wanted.current_password)
        password_hash = await self._passwords.hash(wanted.password)
        async with self._writing(actor) as connection:
            user = await _existing(connection, user_id)
            if proven_by not in (None, user.password_hash):  # changed since it was compared
                raise Forbidden("current_password is wrong")
            await admin_users.update_user(connection, user.id, password_hash=password_hash)
            await admin_sessions.delete_sessions_of(connection, user.id)
            await audit.insert_entry(
                connection, actor, "user.set_password", target=_id(user), details={"email": user.email}
            )

    async def ensure_admin(self, wanted: UserRequest) -> bool:
        """Makes this an enabled user with this role and password, whatever it was; whether it was not.

        Raises Unavailable.
        """
        async with self._writing(None) as connection:
            user = await admin_users.select_by_email(connection, wanted.email)
            known = user is not None and await self._passwords.matches(wanted.password, user.password_hash)
            if user is not None and known and user.role == wanted.role and not user.disabled:
                return False
            if user is None:
                user = await admin_users.insert_user(
                    connection,
                    email=wanted.email,
                    name=wanted.name,
                    role=wanted.role,
                    password_hash=await self._passwords.hash(wanted.password),
                )
                assert user is not None  # noqa: S101 - the table is locked
                action = "user.create"
            else:
                await admin_users.update_user(
                    connection,
                    user.id,
                    role=wanted.role,
                    disabled=False,
                    password_hash=await self._passwords.hash(wanted.password),
                )
                await admin_sessions.delete_sessions_of(connection, user.id)
                action = "user.update"
            await audit.insert_entry(
                connection,
                None,
                action,
                target=_id(user),
                details={"email": user.email, "role": wanted.role},
            )
        return True

    async def _current_hash(self, actor: AdminIdentity, password: str | None) -> str:
        """The stored hash of one's own password, once this has proven to be it.

        Raises Forbidden, Unauthorized (deleted meanwhile).
        """
        async with acquire(self._pool) as connection:
            user = await admin_users.select_user(connection, actor.id)
        if user is None:
            raise no_session()
        if password is None or not await self._passwords.matches(password, user.password_hash):
            raise Forbidden("current_password is wrong, or missing: your own password takes it")
        return user.password_hash

    @asynccontextmanager
    async def _writing(self, actor: AdminIdentity | None) -> AsyncGenerator[Connection]:
        """A transaction of theirs in which nobody else changes users. Raises what confirm() raises."""
        async with acquire(self._pool) as connection, connection.transaction():
            await admin_users.lock_users(connection)
            await confirm(connection, actor)
            yield connection


async def _existing(connection: Connection, user_id: UUID | None) -> AdminUser:
    """Raises NotFound."""
    user = None if user_id is None else await admin_users.select_user(connection, user_id)
    if user is None:
        raise NotFound("no such user")
    return user


def _check_expendable(actor: AdminIdentity, user: AdminUser) -> None:
    """An enabled admin who is about not to be one any more.

    The actor is one as well, confirmed while all users are locked: so one is left, whoever the other is.
    Raises Conflict.
    """
    if user.id == actor.id:
        raise Conflict("you cannot delete, disable or demote yourself")


def _id(user: AdminUser) -> str:
    return ids.encode("adm", user.id)


def _user(user: AdminUser) -> User:
    return User(
        id=_id(user),
        email=user.email,
        name=user.name,
        role=user.role,
        disabled=user.disabled,
        created_at=timestamps.format_datetime(user.created_at),
        updated_at=timestamps.format_datetime(user.updated_at),
    )
