import socket

import pytest
from stack.errors import StackError
from stack.ports import LOOPBACK, Listen, free_port


@pytest.mark.parametrize(
    ("text", "reachable"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("0.0.0.0:8080", "127.0.0.1:8080"),
        (":8080", "127.0.0.1:8080"),
        ("localhost:80", "localhost:80"),
        ("[::1]:8080", "[::1]:8080"),
        ("[::]:8080", "[::1]:8080"),
    ],
)
def test_an_address_is_spelled_as_a_client_here_reaches_it(text: str, reachable: str) -> None:
    assert Listen.parse("BELLWIRE_LISTEN", text).reachable == reachable


@pytest.mark.parametrize("text", ["8080", "localhost", "localhost:", "localhost:http", "localhost:65536"])
def test_what_is_no_address_is_refused_with_its_variable(text: str) -> None:
    with pytest.raises(StackError, match="BELLWIRE_LISTEN="):
        Listen.parse("BELLWIRE_LISTEN", text)


def test_port_zero_becomes_a_free_one() -> None:
    listen = Listen.parse("BELLWIRE_LISTEN", "127.0.0.1:0").resolved()
    with socket.create_server((LOOPBACK, listen.port)):
        pass


def test_a_port_in_use_is_named_with_the_variable_to_change() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} .* in use.*BELLWIRE_LISTEN="):
            Listen("BELLWIRE_LISTEN", LOOPBACK, port).resolved()


def test_own_ports_are_none_an_outgoing_connection_gets() -> None:
    assert all(20_000 <= free_port() < 32_000 for _ in range(50))
