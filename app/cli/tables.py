"""What list commands print."""

from collections.abc import Iterable, Sequence

import click


def echo(headings: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """Plain columns, two spaces apart, the headings first. None: a dash."""
    lines = [headings, *([cell or "-" for cell in row] for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(headings))]
    for line in lines:
        padded = (f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def echo_cut(most: int) -> None:
    """Says that there are more."""
    click.echo(f"(the newest {most}; the console shows all)", err=True)
