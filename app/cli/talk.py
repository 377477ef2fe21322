"""send, tail: try it from a terminal."""

import asyncio
import json
import time
from typing import Any, Final
from urllib.parse import urlencode

import click
import httpx
import msgspec
import websockets

from app.cli import console, options
from app.security import proofs
from realtime.close_codes import CloseCode

_RESTART_S: Final = 30.0  # that a gateway may be away between its goodbye and its return


@click.command()
@options.URL
@options.KEY
@click.option("--to", "subscriber_ids", multiple=True, help="A subscriber id; repeatable, up to 100.")
@click.option("--broadcast", is_flag=True, help="To everybody, instead of --to.")
@click.option("--category", default="message", show_default=True)
@click.option("--title", help="payload.title")
@click.option("--body", help="payload.body")
@click.option("--payload", metavar="JSON", help="The whole payload, a JSON object, instead of these two.")
@click.option("--deliver-at", metavar="TIME", help="Not before: RFC 3339, as 2027-01-31T09:00:00+01:00.")
@click.option("--expires-at", metavar="TIME", help="It leaves the inbox then: RFC 3339.")
@click.option("--idempotency-key", help="The same key never sends twice.")
def send(  # noqa: PLR0917 - click passes by name
    url: str,
    key: str,
    subscriber_ids: tuple[str, ...],
    category: str,
    title: str | None,
    body: str | None,
    payload: str | None,
    deliver_at: str | None,
    expires_at: str | None,
    idempotency_key: str | None,
    *,
    broadcast: bool,
) -> None:
    """Send a notification, or a broadcast."""
    if broadcast == bool(subscriber_ids):
        raise click.UsageError("give either --to, at least once, or --broadcast")
    fields = {name: value for name, value in (("title", title), ("body", body)) if value is not None}
    if bool(fields) == (payload is not None):
        raise click.UsageError("give --title, --body or both, or else --payload")
    request: dict[str, Any] = {
        "category": category,
        "payload": fields if payload is None else _payload(payload),
        "subscriber_ids": subscriber_ids or None,
        "deliver_at": deliver_at,
        "expires_at": expires_at,
        "idempotency_key": idempotency_key,
    }
    request = {name: value for name, value in request.items() if value is not None}
    try:
        reply = httpx.post(
            f"{url}/v1/{'broadcasts' if broadcast else 'notifications'}",
            content=msgspec.json.encode(request),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
    except httpx.HTTPError as error:
        raise click.ClickException(f"no answer from {url}: {error}") from None
    click.echo(reply.text)
    if not reply.is_success:
        raise SystemExit(1)


def _payload(text: str) -> msgspec.Raw:
    """As it was typed. Raises click.UsageError."""
    try:
        payload = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.UsageError(
            f"--payload is not JSON, at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    if not isinstance(payload, dict):
        raise click.UsageError('--payload must be a JSON object, as {"title": "Hello"}')
    return msgspec.Raw(text.encode())


@click.command()
@options.GATEWAY_URL
@click.option("--env", "environment", required=True, help="The environment's slug.")
@click.option("--subscriber", required=True, help="The subscriber's id.")
@click.option(
    "--hash",
    "subscriber_hash",
    envvar="BELLWIRE_SUBSCRIBER_HASH",
    show_envvar=True,
    help="Its HMAC proof.",
)
@click.option(
    "--secret",
    envvar="BELLWIRE_ENVIRONMENT_SECRET",
    show_envvar=True,
    help="The environment's secret, to make that proof with.",
)
@console.asynchronous
async def tail(
    url: str, environment: str, subscriber: str, subscriber_hash: str | None, secret: str | None
) -> None:
    """Print what a subscriber's socket receives, one frame a line; a gateway that restarts is followed."""
    if secret and not subscriber_hash:
        subscriber_hash = proofs.subscriber_hash(secret, subscriber)
    query = {"environment": environment, "subscriber_id": subscriber}
    proof = {"X-Bellwire-Subscriber-Hash": subscriber_hash} if subscriber_hash else {}
    back_by = 0.0  # seconds of the monotonic clock
    while True:
        last: str | bytes = b"{}"
        try:
            async with websockets.connect(
                f"{url}?{urlencode(query)}", compression=None, additional_headers=proof
            ) as socket:
                try:
                    while True:
                        last = await socket.recv()
                        click.echo(last)
                except websockets.ConnectionClosed:
                    code, reason = socket.close_code, socket.close_reason
        except (OSError, websockets.WebSocketException) as error:
            if time.monotonic() > back_by:
                raise click.ClickException(f"{url}: {error}") from None
            await asyncio.sleep(1)
            continue
        if code == websockets.CloseCode.ABNORMAL_CLOSURE:
            raise click.ClickException(f"{url}: the connection was lost")
        if code != websockets.CloseCode.SERVICE_RESTART:
            advice = "" if proof or code != CloseCode.UNAUTHORIZED else "; --hash or --secret gives a proof"
            raise click.ClickException(f"closed by the gateway: {code} {reason}{advice}")
        wait_ms = json.loads(last).get("reconnect_after_ms", 0)
        click.echo(f"the gateway restarts; back in {wait_ms / 1000:.1f} s", err=True)
        await asyncio.sleep(wait_ms / 1000)
        back_by = time.monotonic() + _RESTART_S
