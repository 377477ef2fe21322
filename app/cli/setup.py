"""env and key: environments and API keys, without the console."""

from typing import Final

import click

from app.cli import console, tables
from app.services.api_keys import ApiKeys
from app.services.environments import Environments

_MOST: Final = 1_000


@click.group()
def env() -> None:
    """Environments: each has its own subscribers, keys and secret."""


@env.command("create")
@click.argument("slug")
@click.option("--name", help="For people; the slug where absent.")
@click.option(
    "--open",
    "is_open",
    is_flag=True,
    help="Let subscribers in without a proof. For development only.",
)
@console.asynchronous
async def create_environment(slug: str, name: str | None, *, is_open: bool) -> None:
    """Create an environment and print its secret."""
    async with console.database("env create") as pool:
        environment = await Environments(pool).create(
            None, slug=slug, name=name or slug, require_subscriber_hash=not is_open
        )
    click.echo(environment.secret)


@env.command("list")
@console.asynchronous
async def list_environments() -> None:
    """List them, newest first."""
    async with console.database("env list") as pool:
        found = await Environments(pool).page(before=None, limit=_MOST)
    tables.echo(
        ("SLUG", "ID", "PROOF", "CREATED", "NAME"),
        (
            (it.slug, it.id, "required" if it.require_subscriber_hash else "open", it.created_at, it.name)
            for it in found.items
        ),
    )
    if found.next_cursor is not None:
        tables.echo_cut(_MOST)


@click.group()
def key() -> None:
    """Management keys: what a backend sends as its bearer token."""


@key.command("create")
@click.option("--env", "slug", required=True, help="The environment's slug.")
@click.option("--name", default="cli", show_default=True, help="For people.")
@console.asynchronous
async def create_key(slug: str, name: str) -> None:
    """Create a key and print it: this is the only time it can be seen."""
    async with console.database("key create") as pool:
        created = await ApiKeys(pool).create(None, slug, name=name)
    click.echo(created.key)


@key.command("list")
@click.option("--env", "slug", required=True, help="The environment's slug.")
@console.asynchronous
async def list_keys(slug: str) -> None:
    """List an environment's keys, newest first, revoked ones included."""
    async with console.database("key list") as pool:
        found = await ApiKeys(pool).page(slug, before=None, limit=_MOST)
    tables.echo(
        ("ID", "KEY", "CREATED", "LAST USED", "REVOKED", "NAME"),
        (
            (it.id, f"{it.key_prefix}…", it.created_at, it.last_used_at, it.revoked_at, it.name)
            for it in found.items
        ),
    )
    if found.next_cursor is not None:
        tables.echo_cut(_MOST)


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@console.asynchronous
async def revoke_key(key_id: str) -> None:
    """Revoke the key with this ID (of `key list`), for good: it is refused within a second."""
    async with console.database("key revoke") as pool:
        await ApiKeys(pool).revoke(None, None, key_id)
    click.echo(f"{key_id} is revoked")
