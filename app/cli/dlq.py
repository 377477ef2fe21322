"""dlq: dead letters."""

import click

from app.cli import console
from app.contract import ids, timestamps
from app.services import dead_letters


@click.group()
def dlq() -> None:
    """Dead letters: jobs that failed ten times."""


@dlq.command("list")
@console.asynchronous
async def list_letters() -> None:
    """List them, oldest first."""
    async with console.database("dlq") as pool:
        letters = await dead_letters.first_page(pool)
    if not letters:
        click.echo("no dead letters")
    for letter in letters:
        click.echo(
            f"{ids.encode('job', letter.id)}  {letter.environment_slug}  {letter.job_type}  "
            f"{letter.attempts} attempts  {timestamps.format_datetime(letter.parked_at)}  {letter.last_error}"
        )
    if len(letters) == dead_letters.PAGE:
        click.echo(f"(the oldest {dead_letters.PAGE}; replay these to see more)")


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
            replayed = await dead_letters.replay(pool, job)
        else:
            replayed = await dead_letters.replay_all(pool, slug)
    click.echo(f"{replayed} replayed")
