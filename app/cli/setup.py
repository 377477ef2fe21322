"""env create, key create: set-up without the console."""

import click

from app.cli import console
from app.services.api_keys import ApiKeys
from app.services.environments import Environments


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
