"""Links that are dead without saying so."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Sequence

import pytest

from app.settings import Settings
from realtime import connection, plane
from realtime.keepalive import SLOTS, Wheel
from realtime.main import serve
from tests.factories import Environment
from tests.harness import eventually
from tests.realtime.clients import GatewayUnderTest, RawClient

REVOLUTION_S = 0.4
PONG = b"\x8a\x80abcd"  # empty, masked
PING = b'{"type":"ping"}'


@pytest.fixture
async def hasty(
    settings: Settings, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[GatewayUnderTest]:
    """A gateway that pings every REVOLUTION_S."""
    monkeypatch.setattr(plane, "Wheel", functools.partial(Wheel, slots=8, slot_s=REVOLUTION_S / 8))
    async with serve(settings) as (gateway, address):
        yield GatewayUnderTest(gateway, address, environment)


class Counter:
    def __init__(self) -> None:
        self.pings = 0

    def ping(self) -> None:
        self.pings += 1


def test_a_revolution_pings_each_member_once_spread_over_the_slots() -> None:
    wheel, members = Wheel(), [Counter() for _ in range(10_000)]
    slots = [wheel.add(member) for member in members]
    for _ in range(SLOTS):
        before = sum(member.pings for member in members[:100])
        wheel.turn()
        assert sum(member.pings for member in members[:100]) - before < 10
    assert {member.pings for member in members} == {1}
    wheel.remove(members[0], slots[0])
    for _ in range(SLOTS):
        wheel.turn()
    assert (members[0].pings, members[1].pings) == (1, 2)


async def test_a_client_that_answers_is_kept_and_sees_json_pings(hasty: GatewayUnderTest) -> None:
    async with hasty.client("ann") as client:
        for _ in range(5):
            assert await client.next("ping") == {"type": "ping"}


def masked(payload: bytes, mask: Sequence[int]) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


async def test_the_end_of_a_frame_may_look_like_a_pong(gateway: GatewayUnderTest) -> None:
    cut = len(PING) - len(PONG)
    key = [0, 0, 0, 0]
    key[cut % 4], key[(cut + 1) % 4] = PING[cut] ^ PONG[0], PING[cut + 1] ^ PONG[1]
    mask, text = bytes(key), masked(PING, key)
    assert text[cut:].startswith(PONG[:2])
    heads = (
        bytes((0x81, 0x80 | len(PING))),
        bytes((0x81, 0x80 | 126, 0, len(PING))),  # longer than need be: from here on by the library alone
    )
    async with RawClient.open(gateway, "ann") as client:
        for head in heads:
            for parts in ((head + mask, text[:cut], text[cut:]), (head + mask + text[:cut], text[cut:])):
                await client.write(PONG, *parts, PONG)
                await client.read_pong()


async def test_pongs_keep_a_link_open(hasty: GatewayUnderTest) -> None:
    async with RawClient.open(hasty, "ann") as client:
        for _ in range(4):
            await asyncio.sleep(REVOLUTION_S)
            await client.write(PONG)
        await client.write(b"\x81\x8f\0\0\0\0" + PING)
        await client.read_pong()


async def test_a_half_open_link_is_closed_with_4000(hasty: GatewayUnderTest) -> None:
    async with RawClient.open(hasty, "ann") as silent:
        async with asyncio.timeout(10):
            assert await silent.read_close_code() == 4000


async def test_a_socket_that_answers_no_ping_makes_room_for_a_new_one(
    settings: Settings, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane, "Wheel", functools.partial(Wheel, slots=4, slot_s=0.5))
    monkeypatch.setattr(connection, "PONG_PATIENCE_S", 0.2)
    async with serve(settings) as (server, address):
        gateway = GatewayUnderTest(server, address, environment)
        silent = [await RawClient.connect(gateway, "ann") for _ in range(8)]

        async def open_a_ninth() -> bool:
            async with gateway.socket(environment.subscriber_query("ann")) as client:
                [first] = await asyncio.gather(client.next(), return_exceptions=True)
                return isinstance(first, dict)

        assert not await open_a_ninth()
        await eventually(open_a_ninth, within_s=3)
        for client in silent:
            client.close()
