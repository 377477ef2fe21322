"""--workers: processes that share a port and have their metrics apart."""

import signal
import socket
from contextlib import ExitStack

import httpx
from stack.ports import LOOPBACK, free_port

from tests.app.cli.command import Command

WORKERS = 2


def consecutive_ports(count: int) -> int:
    """The first of so many that are free."""
    while True:
        first = free_port()
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.create_server((LOOPBACK, port)))
            except OSError:
                continue
        return first


def test_each_process_tells_its_own_metrics_on_a_port_of_its_own(database_url: str, redis_url: str) -> None:
    first = consecutive_ports(WORKERS)
    command = Command(
        "gateway",
        f"--workers={WORKERS}",
        environ={
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BELLWIRE_GATEWAY_LISTEN": f"{LOOPBACK}:{free_port()}",
            "BELLWIRE_METRICS_LISTEN": f"{LOOPBACK}:{first}",
        },
    )
    try:
        for port in range(first, first + WORKERS):
            command.wait_for('"metrics"', f"{LOOPBACK}:{port}")
            reply = httpx.get(f"http://{LOOPBACK}:{port}/metrics", trust_env=False)
            assert "bellwire_connections 0.0" in reply.text
        command.wait_for('"up"', '"gateway"')
    finally:
        command.process.send_signal(signal.SIGTERM)
        code = command.ended()
    assert code == 0
