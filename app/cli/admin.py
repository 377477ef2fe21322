"""admin: the first administrator, or a further one, and the way back in, without the console."""

import os
import sys
from typing import Final, get_args

import click

from app.cli import console, tables
from app.contract import ids
from app.contract.admin import PasswordRequest, Role, UserRequest
from app.security.passwords import Passwords
from app.services.admin_users import AdminUsers

_MOST: Final = 1_000
_PASSWORD: Final = "BELLWIRE_USER_PASSWORD"  # noqa: S105 - the variable's name


@click.group()
def admin() -> None:
    """Administrators: who may use the console."""


@admin.command("create-user")
@click.argument("email")
@click.option("--name", help="For people; the email where absent.")
@click.option(
    "--role", type=click.Choice(get_args(Role)), default="admin", show_default=True, help="What they may do."
)
@console.asynchronous
async def create_user(email: str, name: str | None, role: Role) -> None:
    """Create an administrator and print their id.

    The password, 12 to 1024 characters, is asked for; where nobody is at a terminal, it is the first line of
    the standard input. BELLWIRE_USER_PASSWORD goes before both.
    """
    try:
        wanted = UserRequest(email=email, name=name or email.strip(), role=role, password=_password())
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    async with console.database("admin") as pool:
        with Passwords.open() as passwords:
            user = await AdminUsers(pool, passwords).create(None, wanted)
    click.echo(user.id)


@admin.command("list")
@console.asynchronous
async def list_users() -> None:
    """List the administrators, newest first."""
    async with console.database("admin") as pool:
        with Passwords.open() as passwords:
            found = await AdminUsers(pool, passwords).page(before=None, limit=_MOST)
    tables.echo(
        ("EMAIL", "ID", "ROLE", "STATE", "CREATED", "NAME"),
        (
            (it.email, it.id, it.role, "disabled" if it.disabled else "enabled", it.created_at, it.name)
            for it in found.items
        ),
    )
    if found.next_cursor is not None:
        tables.echo_cut(_MOST)


@admin.command("set-password")
@click.argument("email")
@console.asynchronous
async def set_password(email: str) -> None:
    """Give an administrator a new password, and end their sessions.

    The password comes in as for create-user.
    """
    async with console.database("admin") as pool:
        with Passwords.open() as passwords:
            users = AdminUsers(pool, passwords)
            user = await users.find(email)
            try:
                wanted = PasswordRequest(password=_password())
            except ValueError as error:
                raise click.ClickException(str(error)) from None
            await users.set_password(None, ids.decode("adm", user.id), wanted)
    click.echo(f"{user.email} has a new password")


def _password() -> str:
    """Never an argument: every process of the machine can read those."""
    given = os.environ.get(_PASSWORD)
    if given:
        return given
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")
