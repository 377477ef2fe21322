"""Litestar on uvicorn as they come, answering a constant to the POST of a create.

`python -m bench.load.stock`, with the environment variables of `bellwire api`. Beside bench.load.constant it
tells what the product's own way of calling handlers saves, and how much of that a create then uses.
"""

from typing import Final
from uuid import UUID

import structlog
import uvicorn
from litestar import Litestar, post

from app.api.server import listen
from app.cli import console
from app.contract import ids
from app.contract.resources import Sent, SentNotification
from app.settings import Address

_NOTIFICATION: Final = ids.encode("notif", UUID("01890a5d-ac96-774b-bcce-b302099a8057"))
_SENT: Final = Sent("idempotency-key-12345", [SentNotification(_NOTIFICATION, "crowd-12345")])


@post("/v1/notifications")
async def send_notifications(body: bytes) -> Sent:  # noqa: ARG001 - read, as the other limit does
    return _SENT


def run() -> None:
    listener = listen(console.settings().listen)
    address = Address(*listener.getsockname()[:2])
    app = Litestar([send_notifications], openapi_config=None, logging_config=None)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    structlog.stdlib.get_logger().info("up", role="stock", address=str(address))
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    run()
