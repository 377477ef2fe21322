"""dlq: dead letters."""

from typing import Final

import click

from app.cli import console
from app.services.dead_letters import DeadLetters

_MOST: Final = 200


@click.group()
def dlq() -> None:
    """Dead letters: jobs that failed ten times."""


@dlq.command("list")
@console.asynchronous
async def list_letters() -> None:
    """List them, oldest first."""
    async with console.database("dlq") as pool:
        letters = await DeadLetters(pool).page(after=None, limit=_MOST)
    if not letters.items:
        click.echo("no dead letters")
    for letter in letters.items:
        click.echo(
            f"{letter.id}  {letter.environment_slug}  {letter.job_type}  "
            f"{letter.attempts} attempts  {letter.parked_at}  {letter.last_error}"
        )
    if letters.next_cursor is not None:
        click.echo(f"(the oldest {_MOST}; replay these to see more)")


@dlq.command()
@click.argument("job", required=False)
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
@click.option("--env", "slug", help="With --all: of this environment only.")
@console.asynchronous
async def replay(job: str | None, slug: str | None, *, everything: bool) -> None:
    """Put one back to work, or all."""
    if everything == (job is not None):
        raise click.UsageError("give a job's id, or --all")
    if slug is not None and not everything:
        raise click.UsageError("--env goes with --all")
    async with console.database("dlq") as pool:
        if job is not None:
            done = await DeadLetters(pool).replay(None, job)
        else:
            done = await DeadLetters(pool).replay_all(None, slug)
    click.echo(f"{done.replayed} replayed")
