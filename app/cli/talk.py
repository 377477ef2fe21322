"""send, tail: try it from a terminal."""

import json
from typing import Any
from urllib.parse import urlencode

import click
import httpx
import msgspec
import websockets

from app.cli import console, options


@click.command()
@options.URL
@options.KEY
@click.option("--to", "subscriber_ids", multiple=True, help="A subscriber id; repeatable, up to 100.")
@click.option("--broadcast", is_flag=True, help="To everybody, instead of --to.")
@click.option("--category", default="message", show_default=True)
@click.option("--title", help="payload.title")
@click.option("--body", help="payload.body")
@click.option("--payload", help="The whole payload, as JSON.")
@click.option("--idempotency-key", help="The same key never sends twice.")
def send(  # noqa: PLR0917 - click passes by name
    url: str,
    key: str,
    subscriber_ids: tuple[str, ...],
    category: str,
    title: str | None,
    body: str | None,
    payload: str | None,
    idempotency_key: str | None,
    *,
    broadcast: bool,
) -> None:
    """Send a notification, or a broadcast."""
    if broadcast == bool(subscriber_ids):
        raise click.UsageError("give --to (at least once) or --broadcast")
    if payload is None:
        fields = {"title": title, "body": body}
        payload = json.dumps({name: value for name, value in fields.items() if value is not None})
    request: dict[str, Any] = {"category": category, "payload": msgspec.Raw(payload.encode())}
    if subscriber_ids:
        request["subscriber_ids"] = subscriber_ids
    if idempotency_key is not None:
        request["idempotency_key"] = idempotency_key
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


@click.command()
@click.option(
    "--url",
    default="ws://127.0.0.1:8081/v1/inbox/ws",
    show_default=True,
    envvar="BELLWIRE_GATEWAY_URL",
    show_envvar=True,
    help="The gateway.",
)
@click.option("--env", "environment", required=True, help="The environment's slug.")
@click.option("--subscriber", required=True, help="The subscriber's id.")
@click.option(
    "--hash",
    "subscriber_hash",
    envvar="BELLWIRE_SUBSCRIBER_HASH",
    show_envvar=True,
    help="Its HMAC proof.",
)
@console.asynchronous
async def tail(url: str, environment: str, subscriber: str, subscriber_hash: str | None) -> None:
    """Print what a subscriber's socket receives, one frame a line."""
    query = {"environment": environment, "subscriber_id": subscriber}
    proof = {"X-Bellwire-Subscriber-Hash": subscriber_hash} if subscriber_hash else {}
    try:
        async with websockets.connect(
            f"{url}?{urlencode(query)}", compression=None, additional_headers=proof
        ) as socket:
            try:
                while True:
                    click.echo(await socket.recv())
            except websockets.ConnectionClosed:
                code, reason = socket.close_code, socket.close_reason
    except (OSError, websockets.WebSocketException) as error:
        raise click.ClickException(f"{url}: {error}") from None
    if code == websockets.CloseCode.ABNORMAL_CLOSURE:
        raise click.ClickException(f"{url}: the connection was lost")
    raise click.ClickException(f"closed by the gateway: {code} {reason}")
