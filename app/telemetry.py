"""Every metric there is. Each process exposes its own at /metrics."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, Protocol

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

http_request_duration: Final = Histogram(
    "bellwire_http_request_duration_seconds",
    "Time from a request's head to the end of its reply.",
    ("route", "method", "status"),
    buckets=_SECONDS,
)
notifications_created: Final = Counter(
    "bellwire_notifications_created", "Notifications created, scheduled ones included.", ("environment",)
)
rate_limited: Final = Counter("bellwire_rate_limited", "Requests and connects refused with 429.", ("plane",))
password_check: Final = Histogram(
    "bellwire_password_check_seconds",
    "Time to check an administrator's password, waiting for a turn included.",
    buckets=_SECONDS,
)


class WatchedPool(Protocol):
    def is_closing(self) -> bool: ...
    def get_size(self) -> int: ...
    def get_idle_size(self) -> int: ...


class PoolGauges(Collector):
    """Asked of the pools themselves whenever they are collected."""

    def __init__(self) -> None:
        self._watched: list[tuple[str, WatchedPool]] = []
        REGISTRY.register(self)

    def watch(self, name: str, pool: WatchedPool) -> None:
        """Until it closes. Pools of one name are added up."""
        self._watched = [
            *((known, its) for known, its in self._watched if not its.is_closing()),
            (name, pool),
        ]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ("pool",)
        connections = GaugeMetricFamily(
            "bellwire_pool_connections", "PostgreSQL connections open.", labels=labels
        )
        idle = GaugeMetricFamily("bellwire_pool_idle", "Those of them not in use.", labels=labels)
        open_pools = [(name, pool) for name, pool in self._watched if not pool.is_closing()]
        for name in sorted({name for name, _ in open_pools}):
            its = [pool for known, pool in open_pools if known == name]
            connections.add_metric((name,), sum(pool.get_size() for pool in its))
            idle.add_metric((name,), sum(pool.get_idle_size() for pool in its))
        yield connections
        yield idle


pools: Final = PoolGauges()


class LoopHistogram(Collector):
    """A histogram that one thread observes: no lock, a tenth of the library's cost, on the hint path."""

    def __init__(self, name: str, documentation: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = bounds
        self._observed = [0] * (len(bounds) + 1)
        self._sum = 0.0
        REGISTRY.register(self)

    def observe(self, seconds: float) -> None:
        self._observed[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    @property
    def observed(self) -> tuple[int, ...]:
        """How many observations fell into each bucket; the last one has no upper bound."""
        return tuple(self._observed)

    def quantile(self, q: float, observed: Sequence[int]) -> float | None:
        """The q-quantile of such observations in seconds, spread evenly within their bucket.

        None where there are none; the highest bound where it lies above that.
        """
        rank = q * sum(observed)
        below, lower = 0, 0.0
        for bound, count in zip(self._bounds, observed, strict=False):
            if count and below + count >= rank:
                return lower + (bound - lower) * (rank - below) / count
            below, lower = below + count, bound
        return self._bounds[-1] if rank else None

    def collect(self) -> Iterator[HistogramMetricFamily]:
        labels = [*(floatToGoString(bound) for bound in self._bounds), "+Inf"]
        buckets = list(zip(labels, accumulate(self._observed), strict=True))
        yield HistogramMetricFamily(
            self._name,
            self._documentation,
            buckets=[(label, float(count)) for label, count in buckets],
            sum_value=self._sum,
        )


class Tally:
    """One label's count. Add to value."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


# Of notifications_created: all environments together.
created: Final = Tally()


_created_by_environment: Final[dict[str, Counter]] = {}  # labels() takes a lock, and longer than the rest


def count_created(environment: str, number: int) -> None:
    """environment: its slug."""
    counter = _created_by_environment.get(environment)
    if counter is None:
        counter = _created_by_environment[environment] = notifications_created.labels(environment)
    counter.inc(number)
    created.value += number


class LoopCounter(Collector):
    """A counter that one thread adds to, as LoopHistogram; by one label whose values are known."""

    def __init__(self, name: str, documentation: str, label: str, values: Sequence[str]) -> None:
        self._name = name
        self._documentation = documentation
        self._label = label
        self._tallies = {value: Tally() for value in values}
        REGISTRY.register(self)

    def of(self, value: str) -> Tally:
        return self._tallies[value]

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._documentation, labels=(self._label,))
        for value, tally in self._tallies.items():
            family.add_metric((value,), tally.value)
        yield family


# The gateway, and streams.
hint_latency: Final = LoopHistogram(
    "bellwire_hint_latency_seconds",
    "Commit (database clock) to the last frame written here, once per hint.",
    _SECONDS,
)
connections: Final = Gauge("bellwire_connections", "Sockets and streams past authentication.")


def count_connections() -> int:
    """What `connections` stands at in this process."""
    return int(next(iter(connections.collect())).samples[0].value)


frames_sent: Final = LoopCounter(
    "bellwire_frames_sent",
    "Frames written to sockets and streams.",
    "type",
    ("ready", "hint", "counts", "ping", "pong", "refreshed", "goodbye"),
)
counts_queries: Final = Counter(
    "bellwire_counts_queries", "Queries that read counts, each for up to 1 000 connected inboxes."
)
slow_consumers: Final = Counter("bellwire_slow_consumers", "Connections cut because they did not read.")
redis_up: Final = Gauge("bellwire_redis_up", "1 while the hint plane is connected.")
sweeps: Final = Counter("bellwire_sweeps", "Passes that asked PostgreSQL whose inbox moved.", ("cause",))
sweep_corrections: Final = Counter(
    "bellwire_sweep_corrections", "Inboxes a sweep found ahead of their hints: near zero while Redis is up."
)

# The outbox.
queue_depth: Final = Gauge(
    "bellwire_queue_depth", "Jobs in the outbox, counted up to 100 000 each.", ("environment", "job_type")
)
queue_due: Final = Gauge(
    "bellwire_queue_due", "Those of them whose time has come.", ("environment", "job_type")
)
job_wait: Final = Histogram(
    "bellwire_job_wait_seconds", "From a job's due time to its start.", ("job_type",), buckets=_SECONDS
)
jobs: Final = Counter("bellwire_jobs", "Jobs that ended, by outcome.", ("job_type", "outcome"))
pass_failures: Final = Counter(
    "bellwire_pass_failures", "Passes of a worker's loop that ended in an error.", ("loop",)
)
set_aside: Final = Gauge(
    "bellwire_set_aside", "Items that failed on their own and wait for another try.", ("kind",)
)
dead_letters: Final = Gauge("bellwire_dead_letters", "Jobs parked after their last attempt.", ("job_type",))
counter_drift: Final = Gauge(
    "bellwire_counter_drift",
    "Maintained counters found to differ from a recount of a sample, since the start: must be 0.",
    ("kind",),
)
partitions_remaining: Final = Gauge(
    "bellwire_partitions_remaining", "Monthly partitions ahead of now.", ("table",)
)
