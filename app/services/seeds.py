"""What a boot plants when its settings ask for it."""

import contextlib

import structlog

from app.contract import admin
from app.contract.admin import UserRequest
from app.contract.errors import Conflict, InvalidRequest
from app.db.pool import Pool, create_pool
from app.security.passwords import Passwords
from app.services.admin_users import AdminUsers
from app.services.api_keys import ApiKeys
from app.services.environments import Environments
from app.settings import Settings

log = structlog.stdlib.get_logger()


async def plant_environment(settings: Settings) -> None:
    """The development environment with its key. Raises InvalidRequest (naming the variable), Unavailable."""
    if settings.dev_environment is not None:
        async with create_pool(settings.database_url, size=2, name="seed") as pool:
            await _plant_environment(pool, settings.dev_environment, settings.dev_api_key)


async def plant_admin(settings: Settings) -> None:
    """The administrator who always gets in. Raises InvalidRequest (naming the variable), Unavailable."""
    if settings.admin_email is not None and settings.admin_password is not None:
        async with create_pool(settings.database_url, size=2, name="seed") as pool:
            await _plant_admin(pool, settings.admin_email, settings.admin_password)


async def _plant_environment(pool: Pool, slug: str, api_key: str | None) -> None:
    """What is there already is not changed."""
    log.warning("anybody may read this environment: for development only", environment=slug)
    try:
        with contextlib.suppress(Conflict):
            await Environments(pool).create(None, slug=slug, name=slug.title(), require_subscriber_hash=False)
    except InvalidRequest as error:
        raise InvalidRequest(f"BELLWIRE_DEV_ENVIRONMENT: {error}") from None
    if api_key is not None:
        with contextlib.suppress(Conflict):
            await ApiKeys(pool).create(None, slug, name="development", key=api_key)


async def _plant_admin(pool: Pool, email: str, password: str) -> None:
    """An enabled admin with this password, whatever became of them: the way back in."""
    try:
        email = admin.normal_email(email)
    except ValueError as error:
        raise InvalidRequest(f"BELLWIRE_ADMIN_EMAIL: {error}") from None
    try:
        admin.check_password(password)
    except ValueError as error:
        raise InvalidRequest(f"BELLWIRE_ADMIN_PASSWORD: {error}") from None
    with Passwords.open() as passwords:
        changed = await AdminUsers(pool, passwords).ensure_admin(
            UserRequest(email=email, name=email, role="admin", password=password)
        )
    if changed:
        log.warning("this administrator was made, or given this password again", email=email)
