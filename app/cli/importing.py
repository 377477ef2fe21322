"""import: loads subscribers from a file of one JSON object a line."""

import sys
from collections.abc import Iterable, Iterator
from typing import Final

import click
import httpx
import msgspec

from app.cli import options
from app.contract.resources import Imported

_LINES: Final = 10_000  # a request; the API takes ten times as many
_BYTES: Final = 16 << 20  # a request; the API takes twice as many
_PATIENCE_S: Final = 120.0


@click.command("import")
@options.URL
@options.KEY
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def import_subscribers(url: str, key: str, file: str) -> None:
    """Load subscribers from FILE (- for standard input), a JSON object a line.

    {"subscriber_id": "user_42", "created_at": "2026-04-01T00:00:00Z"}

    created_at may be left out. Who exists already stays as they are, so that a file can be loaded again.
    Lines that cannot be taken are listed, and the exit code is 1.
    """
    failed = created = existing = blank = before = 0
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    with (
        click.open_file(file, "rb") as source,
        httpx.Client(base_url=url, timeout=_PATIENCE_S, headers=headers) as client,
    ):
        for lines in _parts(source):
            done = _send(client, lines)
            created += done.created
            existing += done.existing
            nothing = _blank(lines)
            blank += nothing
            failed += len(lines) - nothing - done.created - done.existing
            for bad in done.errors:
                click.echo(f"{file}:{before + bad.line}: {bad.message}", err=True)
            before += len(lines)
            click.echo(
                f"{before} lines: {created} created, {existing} existing, {failed} failed, {blank} blank",
                err=True,
            )
    if failed:
        sys.exit(1)


def _parts(file: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The file's lines, as many at a time as one request takes."""
    part: list[bytes] = []
    size = 0
    for line in file:
        if part and (len(part) == _LINES or size + len(line) > _BYTES):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part


def _blank(lines: Iterable[bytes]) -> int:
    return sum(1 for line in lines if not line.strip(b" \t\r\n"))


def _send(client: httpx.Client, lines: Iterable[bytes]) -> Imported:
    """Raises click.ClickException."""
    try:
        reply = client.post("/v1/subscribers/import", content=b"".join(lines))
    except httpx.HTTPError as error:
        raise click.ClickException(f"no answer from {client.base_url}: {error}") from None
    if not reply.is_success:
        raise click.ClickException(f"{reply.status_code}: {reply.text}")
    return msgspec.json.decode(reply.content, type=Imported)
