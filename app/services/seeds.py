"""What a boot plants when its settings ask for it."""

import contextlib

import structlog

from app.contract import admin
from app.contract.admin import UserRequest
from app.contract.errors import Conflict, InvalidRequest
from app.db.api_keys import select_api_keys
from app.db.environments import select_environments
from app.db.pool import Pool, create_pool
from app.security import keys
from app.security.passwords import Passwords
from app.services import api_keys, environments
from app.services.acting import acting
from app.services.admin_users import AdminUsers
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
    """With its key, in one transaction. What is there already is not changed, and the warnings say so."""
    async with acting(pool, None) as connection:
        try:
            created = await environments.create(
                connection, None, slug=slug, name=slug.title(), require_subscriber_hash=False
            )
        except InvalidRequest as error:
            raise InvalidRequest(f"BELLWIRE_DEV_ENVIRONMENT: {error}") from None
        except Conflict:
            [found] = await select_environments(connection, [slug])
            environment_id, is_open = found.id, not found.require_subscriber_hash
        else:
            environment_id, is_open = created.id, True
            if api_key is not None:
                with contextlib.suppress(Conflict):  # told below
                    await api_keys.create(connection, None, created, name="development", key=api_key)
        opened = [] if api_key is None else await select_api_keys(connection, [keys.key_hash(api_key)])
    if is_open:
        log.warning("anybody may read this environment: for development only", environment=slug)
    else:
        log.warning("BELLWIRE_DEV_ENVIRONMENT requires proof, and is left as it is", environment=slug)
    if api_key is not None and environment_id not in {key.environment_id for key in opened}:
        log.warning("BELLWIRE_DEV_API_KEY is no key of this environment, and is not added", environment=slug)


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
