"""The whole path of a running Bellwire with a development environment: a POST, and the frame it becomes."""

import time

import httpx
from websockets import WebSocketException
from websockets.sync.client import connect

KEY = "bw_dev_key"
DEVELOPMENT = {"BELLWIRE_DEV_ENVIRONMENT": "demo", "BELLWIRE_DEV_API_KEY": KEY, "BELLWIRE_DRAIN_S": "0"}
WITHIN_S = 15


def rings(api: str, gateway: str) -> bool:
    """Addresses. Whether a notification sent now reaches a socket opened now."""
    try:
        with connect(
            f"ws://{gateway}/v1/inbox/ws?environment=demo&subscriber_id=ada",
            open_timeout=2,
            close_timeout=1,
            compression=None,
            proxy=None,
        ) as socket:
            socket.recv(timeout=2)  # hello
            httpx.post(
                f"http://{api}/v1/notifications",
                headers={"Authorization": f"Bearer {KEY}"},
                json={"subscriber_id": "ada", "category": "comment", "payload": {"title": "Hello"}},
                timeout=3,
                trust_env=False,
            ).raise_for_status()
            while b"notification" not in (frame := _bytes(socket.recv(timeout=3))):
                assert b'"error"' not in frame, frame
            return True
    except (OSError, TimeoutError, WebSocketException, httpx.HTTPError):
        return False


def wait_until_it_rings(api: str, gateway: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not rings(api, gateway):
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s"
        time.sleep(0.1)


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame
