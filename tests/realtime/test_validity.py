"""Proofs that end while their sockets are open: everyone concerned is told within two seconds."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from uuid import UUID

import pytest

from app.contract.errors import Unavailable
from app.db import environments, presence
from app.db.pool import Connection, Pool
from app.security import proofs
from app.services.auth import Identity
from app.settings import Settings
from realtime.protocol import GoodbyeReason
from realtime.sse import open_streams
from realtime.validity import Validity
from tests.factories import Environment, make_environment
from tests.realtime.backend import Backend
from tests.realtime.clients import Client, GatewayUnderTest

PROMPTLY_S = 2.0


def token(environment: Environment, expires_at: float, subscriber_id: str = "ann") -> str:
    return proofs.mint_token(
        environment.secret,
        subscriber_id=subscriber_id,
        environment=environment.slug,
        expires_at=int(expires_at),
    )


async def end(client: Client) -> tuple[str, int]:
    """The reason of the goodbye and the close code that follow promptly."""
    async with asyncio.timeout(PROMPTLY_S):
        goodbye = await client.next("goodbye")
        code, reason = await client.closed()
    assert reason == goodbye["reason"]
    assert 0 <= goodbye["reconnect_after_ms"] <= 60_000
    return goodbye["reason"], code


async def test_a_socket_closes_when_its_token_expires(gateway: GatewayUnderTest) -> None:
    expires_at = int(time.time()) + 2
    async with gateway.socket({"token": token(gateway.environment, expires_at)}) as client:
        await client.next("ready")
        async with asyncio.timeout(5):
            await client.next("goodbye")
        assert expires_at <= time.time() < expires_at + PROMPTLY_S
        assert (await client.closed())[0] == 4002


async def test_a_refreshed_token_moves_the_end(gateway: GatewayUnderTest) -> None:
    now = int(time.time())
    async with gateway.socket({"token": token(gateway.environment, now + 2)}) as client:
        await client.next("ready")
        await client.send({"type": "refresh", "token": token(gateway.environment, now + 4)})
        refreshed = await client.next("refreshed")
        expected = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now + 4))
        assert refreshed == {"type": "refreshed", "expires_at": expected}
        async with asyncio.timeout(6):
            await client.next("goodbye")
        assert now + 4 <= time.time() < now + 4 + PROMPTLY_S


async def test_a_refresh_gives_a_socket_without_token_an_end(gateway: GatewayUnderTest) -> None:
    async with gateway.client("ann") as client:
        proof = token(gateway.environment, time.time() + 2)
        await client.send({"type": "refresh", "token": proof})
        await client.next("refreshed")
        async with asyncio.timeout(5):
            await client.next("goodbye")
        assert (await client.closed())[0] == 4002


async def test_a_refresh_with_a_bad_token_ends_the_socket(gateway: GatewayUnderTest, pool: Pool) -> None:
    other = await make_environment(pool, "other")
    later = time.time() + 60
    cases = {
        token(gateway.environment, later, "bob"): 4501,
        token(other, later): 4501,
        "nonsense": 4501,
        token(gateway.environment, time.time() - 1): 4002,
    }
    for proof, code in cases.items():
        async with gateway.client("ann") as client:
            await client.send({"type": "refresh", "token": proof})
            assert (await client.closed())[0] == code


async def test_rotating_a_secret_out_closes_the_sockets_it_let_in(
    gateway: GatewayUnderTest, pool: Pool
) -> None:
    async with gateway.client("ann") as old:
        await pool.execute("UPDATE environments SET previous_secret = secret, secret = 'fresh-secret'")
        fresh = Environment(gateway.environment.id, "acme", "fresh-secret", "")
        async with gateway.client("ann"):
            pass  # the previous secret still holds
        await wait_for_the_authenticator()
        async with gateway.socket(fresh.subscriber_query("ann")) as new:
            await new.next("ready")
            await pool.execute("UPDATE environments SET previous_secret = NULL")
            assert await end(old) == ("revoked", 4505)
            await new.send({"type": "ping"})
            assert await new.next() == {"type": "pong"}


async def test_an_environment_that_begins_to_require_proofs_closes_those_without(
    gateway: GatewayUnderTest, pool: Pool
) -> None:
    environment = await make_environment(pool, "open", require_subscriber_hash=False)
    async with (
        gateway.socket({"environment": "open", "subscriber_id": "ann"}) as without,
        gateway.socket(environment.subscriber_query("ann")) as proven,
    ):
        await without.next("ready")
        await proven.next("ready")
        await pool.execute("UPDATE environments SET require_subscriber_hash = true WHERE slug = 'open'")
        assert await end(without) == ("revoked", 4505)
        await proven.send({"type": "ping"})
        assert await proven.next() == {"type": "pong"}


@asynccontextmanager
async def paused_while_opening(
    gateway: GatewayUnderTest, monkeypatch: pytest.MonkeyPatch, query: Mapping[str, str]
) -> AsyncGenerator[tuple[Client, asyncio.Event]]:
    """A socket whose proof held, and whose inbox is opened when the event is set."""
    proved, go_on = asyncio.Event(), asyncio.Event()
    select_inbox_ids = presence.select_inbox_ids

    async def paused(connection: Connection, environment_id: UUID, names: Sequence[str]) -> dict[str, UUID]:
        proved.set()
        await go_on.wait()
        return await select_inbox_ids(connection, environment_id, names)

    with monkeypatch.context() as patch:
        patch.setattr(presence, "select_inbox_ids", paused)
        async with gateway.socket(query) as client:
            await asyncio.wait_for(proved.wait(), PROMPTLY_S)
            yield client, go_on


async def test_a_secret_rotated_out_while_an_inbox_opens_closes_its_socket(
    gateway: GatewayUnderTest, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its proof held; since then everyone else has been looked at, with the new state."""
    await pool.execute("UPDATE environments SET previous_secret = secret, secret = 'fresh-secret'")
    fresh = Environment(gateway.environment.id, "acme", "fresh-secret", "")
    query = gateway.environment.subscriber_query
    async with (
        gateway.socket(fresh.subscriber_query("bob")) as other,
        gateway.client("ann") as told,
    ):
        await other.next("ready")
        async with paused_while_opening(gateway, monkeypatch, query("ann")) as (late, go_on):
            await pool.execute("UPDATE environments SET previous_secret = NULL")
            assert await end(told) == ("revoked", 4505)
            go_on.set()
            await late.next("ready")
            assert await end(late) == ("revoked", 4505)
        await other.send({"type": "ping"})
        await other.next("pong")


async def test_proofs_required_while_an_inbox_opens_close_its_socket(
    gateway: GatewayUnderTest, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = await make_environment(pool, "open", require_subscriber_hash=False)
    without = {"environment": "open", "subscriber_id": "ann"}
    async with (
        gateway.socket(environment.subscriber_query("bob")) as other,
        gateway.socket(without) as told,
    ):
        await other.next("ready")
        await told.next("ready")
        async with paused_while_opening(gateway, monkeypatch, without) as (late, go_on):
            await pool.execute("UPDATE environments SET require_subscriber_hash = true WHERE slug = 'open'")
            assert await end(told) == ("revoked", 4505)
            go_on.set()
            await late.next("ready")
            assert await end(late) == ("revoked", 4505)


async def test_a_stream_whose_proof_no_longer_held_when_it_began_ends(
    pool: Pool, settings: Settings, backend: Backend
) -> None:
    """The same, as the API opens one: with an identity it made before."""
    old = backend.identity("ann")
    await pool.execute("UPDATE environments SET secret = 'fresh-secret'")
    fresh = Identity(old.environment_id, old.environment, "bob", "fresh-secret", None)
    async with open_streams(pool, settings) as streams, aclosing(await streams.open(fresh, None)) as kept:
        await anext(kept)
        for _ in range(2):  # the second comes when the new state is known
            async with asyncio.timeout(PROMPTLY_S):
                assert [chunk async for chunk in await streams.open(old, None)]
        assert len(streams.active) == 1


class Standing:
    """A holder that remembers what it was told."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.told: GoodbyeReason | None = None

    def expel(self, reason: GoodbyeReason) -> None:
        self.told = reason


async def test_a_proof_is_compared_with_nothing_read_before_it(
    pool: Pool, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that became valid while the environments were being read lets its holders in."""
    validity = Validity(pool)
    old = Standing(backend.identity("ann"))
    new = Standing(Identity(old.identity.environment_id, "acme", "bob", "fresh-secret", None))
    renewed = Standing(backend.identity("eve"))
    select_environments = environments.select_environments

    async def overtaken(connection: Connection, slugs: Sequence[str]) -> list[environments.Environment]:
        found = await select_environments(connection, slugs)
        await pool.execute("UPDATE environments SET secret = 'fresh-secret'")
        validity.add(new)
        renewed.identity = new.identity
        validity.renewed(renewed)
        return found

    validity.add(old)
    validity.add(renewed)
    with monkeypatch.context() as patch:
        patch.setattr(environments, "select_environments", overtaken)
        await validity.check()
    assert [holder.told for holder in (old, new, renewed)] == [None, None, None]
    await validity.check()
    assert [holder.told for holder in (old, new, renewed)] == ["revoked", None, None]


async def test_a_check_that_failed_is_made_up_for(
    pool: Pool, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    validity = Validity(pool)
    first = Standing(backend.identity("ann"))
    validity.add(first)
    await validity.check()
    late = Standing(Identity(first.identity.environment_id, "acme", "ann", "never-a-secret", None))
    validity.add(late)

    async def away(_connection: Connection, _slugs: Sequence[str]) -> list[environments.Environment]:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(environments, "select_environments", away)
        with pytest.raises(Unavailable):
            await validity.check()
    await validity.check()
    assert (first.told, late.told) == (None, "revoked")


async def test_erasing_a_subscriber_closes_its_sockets_and_the_next_is_another_person(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    async with gateway.client("ann") as client, gateway.client("bob") as other:
        await backend.notify("ann")
        await client.counts(1, 1)
        await backend.erase("ann")
        assert await end(client) == ("erased", 4505)
        async with gateway.socket(gateway.environment.subscriber_query("ann")) as again:
            ready = await again.next("ready")
            assert (ready["unread"], ready["unseen"]) == (0, 0)
            assert ready["version"] > client.of_type("counts")[-1]["version"]
            await backend.notify("ann")
            await again.counts(1, 1)
        assert [frame["type"] for frame in other.frames] == ["ready"]


async def wait_for_the_authenticator() -> None:
    """Its answers are at most half a second old; there is no event to wait for."""
    await asyncio.sleep(0.6)


@pytest.mark.parametrize("subscriber_id", ["ann", "ann" * 80])
async def test_an_erased_subscriber_that_has_no_socket_disturbs_nobody(
    gateway: GatewayUnderTest, backend: Backend, subscriber_id: str
) -> None:
    async with gateway.client("bob") as other:
        await backend.notify(subscriber_id)
        await backend.erase(subscriber_id)
        await backend.notify("bob")
        await other.counts(1, 1)
