"""What each role tells Prometheus of what it depends on."""

from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from stack.ports import LOOPBACK, free_port
from stack.servers import EmbeddedRedis

from tests.harness import Process, eventually


@pytest.fixture
def own_redis(tmp_path: Path) -> Generator[EmbeddedRedis]:
    """A Redis of this test, not yet started."""
    server = EmbeddedRedis(tmp_path / "redis", with_password=True)
    yield server
    server.stop()


def teller(address: str | None, name: str) -> Callable[[], Awaitable[dict[str, float]]]:
    """Asks for a metric, by its only label, if any."""

    async def ask() -> dict[str, float]:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            text = (await client.get(f"http://{address}/metrics")).text
        return {
            ",".join(sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }

    return ask


@pytest.mark.faults
async def test_a_worker_says_whether_redis_is_there(database_url: str, own_redis: EmbeddedRedis) -> None:
    metrics = f"{LOOPBACK}:{free_port()}"
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": own_redis.url,
        "BELLWIRE_METRICS_LISTEN": metrics,
    }
    redis_up = teller(metrics, "bellwire_redis_up")
    async with Process.open("worker", environ):
        assert await redis_up() == {"": 0}
        for _ in range(2):
            own_redis.start()
            await eventually(redis_up, lambda said: said == {"": 1})
            own_redis.stop()
            await eventually(redis_up, lambda said: said == {"": 0})


@pytest.mark.parametrize(
    ("role", "pools"),
    [
        ("api", {"api", "api hints"}),
        ("gateway", {"gateway"}),
        ("worker", {"worker", "worker hints"}),
    ],
)
async def test_each_role_tells_of_its_pools(
    role: str, pools: set[str], database_url: str, redis_url: str
) -> None:
    """And of none that served the start only."""
    metrics = f"{LOOPBACK}:{free_port()}"
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BELLWIRE_LISTEN": f"{LOOPBACK}:0",
        "BELLWIRE_GATEWAY_LISTEN": f"{LOOPBACK}:0",
        "BELLWIRE_METRICS_LISTEN": metrics,
        "BELLWIRE_DEV_ENVIRONMENT": "demo",
    }
    async with Process.open(role, environ) as process:
        for name in ("bellwire_pool_connections", "bellwire_pool_idle"):
            assert (await teller(process.address or metrics, name)()).keys() == pools
