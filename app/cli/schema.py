"""migrate: the schema by hand."""

import click

from app.cli import console
from app.db import migrate as migrations
from app.db.pool import acquire


@click.command()
@click.option("--check", is_flag=True, help="Apply nothing; exit 1 where something is pending.")
@console.asynchronous
async def migrate(*, check: bool) -> None:
    """Bring the database to this release's schema."""
    if not check:
        url = console.settings(with_redis=False).database_url
        with console.asking_database(url):
            plan = await migrations.migrate(url)
        for name in plan.pending:
            click.echo(f"applied {name}")
        if plan.functions_changed:
            click.echo("applied functions")
        if plan.is_done:
            click.echo("nothing to do")
        return
    async with console.database("migrate") as pool, acquire(pool) as connection:
        plan = await migrations.check(connection)
    for name in plan.pending:
        click.echo(f"pending {name}")
    if plan.functions_changed:
        click.echo("pending functions")
    if not plan.is_done:
        raise SystemExit(1)
    click.echo("up to date")
