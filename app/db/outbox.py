"""Jobs owed by commits. Deleted when done, in the transaction of what they did."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from app.contract.hints import Hint, Reason
from app.contract.ids import Source
from app.db.pool import Connection, fetch_one

A = TypeVar("A")
JobType = Literal["hint", "archive_read"]


class HintPayload(msgspec.Struct, frozen=True):
    """The payload of a hint job. hints: pairs of inbox (None: all of the environment) and item."""

    reason: Reason
    source: Source
    at_us: int
    hints: list[tuple[UUID | None, UUID | None]]
    category: str | None = None


_PAYLOADS: Final = msgspec.json.Decoder(HintPayload)


class HintJob(msgspec.Struct, frozen=True):
    """A hint job as its commit left it in the outbox."""

    environment_id: UUID
    id: UUID
    payload: HintPayload

    @classmethod
    def owed(cls, environment_id: UUID, job_id: UUID | None, payload: str | None) -> "HintJob | None":
        """The job that a statement returned as (job_id, job); None where nobody is hinted."""
        return None if job_id is None or payload is None else cls.of(environment_id, job_id, payload)

    @classmethod
    def of(cls, environment_id: UUID, job_id: UUID, payload: str) -> "HintJob":
        return cls(environment_id, job_id, _PAYLOADS.decode(payload))

    def to_hints(self) -> list[Hint]:
        payload = self.payload
        return [
            Hint(
                environment_id=self.environment_id,
                inbox_id=inbox_id,
                reason=payload.reason,
                at_us=payload.at_us,
                source=payload.source,
                item_id=item_id,
                category=payload.category,
            )
            for inbox_id, item_id in payload.hints
        ]


class Answered(msgspec.Struct, Generic[A], frozen=True):
    """Of one statement for many requests: answers run along them. jobs: the hint jobs owed."""

    answers: list[A]
    jobs: list[HintJob]

    @classmethod
    def of(
        cls, rows: Sequence[Any], environment_ids: Sequence[UUID], answer: Callable[..., A]
    ) -> "Answered[A]":
        """Of rows (request from 1, status, …, job_id, job); a row without a status is a job of the
        environment of that request. answer: is given what stands between request and job_id.
        """
        answers: dict[int, A] = {}
        jobs: list[HintJob] = []
        for request, status, *rest, job_id, job in rows:
            if status is None:
                jobs.append(HintJob.of(environment_ids[request - 1], job_id, job))
            else:
                answers[request] = answer(status, *rest)
        return cls([answers[at] for at in range(1, len(environment_ids) + 1)], jobs)


SELECT_NEXT_DUE: Final = """
SELECT extract(epoch FROM min(next.run_at) - clock_timestamp())::float8
FROM environments_with_jobs($1) AS tenant (environment_id)
CROSS JOIN LATERAL (SELECT o.run_at FROM outbox_by_time o
                    WHERE o.job_type = $1 AND o.environment_id = tenant.environment_id
                    ORDER BY o.run_at LIMIT 1) AS next
"""


async def select_next_due(connection: Connection, job_type: JobType) -> float:
    """Seconds until a job of this type is due; 0 or less: one is; infinity: there is none."""
    delay = await connection.fetchval(SELECT_NEXT_DUE, job_type)
    return math.inf if delay is None else delay


# A claim is a lease: the job stays, out of reach of others, until it is finished or the lease is over.
# Each environment gets an equal share of the batch, so that a quiet one never waits behind a noisy one.
# What is locked is gone to by its ctid: joined, it could be looked for by going through all there is.
CLAIM_JOBS: Final = """
WITH tenant (environment_id) AS MATERIALIZED (SELECT * FROM environments_with_jobs($1)),
due AS MATERIALIZED (
    SELECT job.*
    FROM tenant
    CROSS JOIN LATERAL (SELECT o.row_at, o.environment_id, o.id, o.payload, o.run_at FROM outbox_by_time o
                        WHERE o.job_type = $1 AND o.environment_id = tenant.environment_id
                          AND o.run_at <= (SELECT clock_timestamp())
                        ORDER BY o.run_at
                        LIMIT (SELECT greatest($2 / greatest(count(*), 1), 1) FROM tenant)
                        FOR UPDATE SKIP LOCKED) AS job
), leased AS (
    UPDATE outbox o SET run_at = clock_timestamp() + interval '2 seconds'
    WHERE o.ctid = ANY (ARRAY(SELECT due.row_at FROM due))
)
SELECT due.environment_id, due.id, due.payload, extract(epoch FROM clock_timestamp() - due.run_at)::float8
FROM due
"""


class Job(msgspec.Struct, frozen=True):
    """A job as it stands; payload is JSON text. waited_s: from when it was due until it was claimed."""

    environment_id: UUID
    id: UUID
    payload: str
    waited_s: float


async def claim_jobs(connection: Connection, job_type: JobType, limit: int) -> list[Job]:
    """Due jobs, leased to this caller for 2 s; about `limit`, shared evenly between environments."""
    return [Job(*row) for row in await connection.fetch(CLAIM_JOBS, job_type, limit)]


def to_hint_job(job: Job) -> HintJob:
    """Raises msgspec.DecodeError."""
    return HintJob(job.environment_id, job.id, _PAYLOADS.decode(job.payload))


# A published hint that named a notification is what the timeline calls delivered_hint: noted once for all the
# items of a job whose hints were published as it has them ($5, $6), else item by item ($3, $4). An item that
# is gone, or about to go, is passed over; one that is not stays until this commits, so whoever removes it
# then, and after that its timeline, finds what is written here.
# Jobs in order: when a lease has run out, two processes may finish the same ones. Each job and each item is
# looked up by its key on its own: a plan that went through an environment's whole history would not end. What
# notification_position() says is written out: called, it costs as much as all the rest.
FINISH_HINT_JOBS: Final = """
WITH held AS MATERIALIZED (
    SELECT present.ctid
    FROM (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS u (environment_id, id) ORDER BY 1, 2) AS d
    CROSS JOIN LATERAL (SELECT o.ctid FROM outbox o
                        WHERE o.environment_id = d.environment_id AND o.id = d.id
                        LIMIT 1 FOR UPDATE) AS present
), done AS (
    DELETE FROM outbox o WHERE o.ctid = ANY (ARRAY(SELECT held.ctid FROM held))
), named AS MATERIALIZED (
    SELECT w.environment_id, w.position
    FROM (SELECT DISTINCT u.environment_id, coalesce(s.position, u.id) AS position
          FROM unnest($3::uuid[], $4::uuid[]) AS u (environment_id, id)
          LEFT JOIN LATERAL (SELECT p.position FROM scheduled_positions p
                             WHERE p.environment_id = u.environment_id AND p.id = u.id LIMIT 1) AS s ON true
         ) AS w
    CROSS JOIN LATERAL (
        SELECT FROM notifications_by_position n
        WHERE n.environment_id = w.environment_id AND n.position = w.position
        LIMIT 1 FOR KEY SHARE SKIP LOCKED) AS present
), published AS (
    INSERT INTO published_hint_jobs (environment_id, job_id, published_at)
    SELECT u.environment_id, u.id, clock_timestamp()
    FROM unnest($5::uuid[], $6::uuid[]) AS u (environment_id, id) ORDER BY 1, 2
    ON CONFLICT DO NOTHING
)
INSERT INTO timeline (environment_id, position, status, occurred_at)
SELECT n.environment_id, n.position, 'delivered_hint', clock_timestamp()
FROM named n
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""


async def finish_hint_jobs(
    connection: Connection, jobs: Sequence[HintJob], published: Sequence[Hint] | None = None
) -> None:
    """Deletes jobs whose hints were published: in the form of `published`, or each as its job has it."""
    whole = [job for job in jobs if job.payload.reason == "notification"] if published is None else ()
    named = [hint for hint in published or () if hint.reason == "notification" and hint.item_id is not None]
    await connection.execute(
        FINISH_HINT_JOBS,
        [job.environment_id for job in jobs],
        [job.id for job in jobs],
        [hint.environment_id for hint in named],
        [hint.item_id for hint in named],
        [job.environment_id for job in whole],
        [job.id for job in whole],
    )


class ArchiveReadStep(msgspec.Struct, frozen=True):
    """done: the job is gone. job: the hint job owed, if any."""

    done: bool
    job: HintJob | None


RUN_ARCHIVE_READ: Final = "SELECT done, job_id, job FROM run_archive_read($1, $2, $3)"


async def run_archive_read(
    connection: Connection, environment_id: UUID, inbox_id: UUID, chunk: int
) -> ArchiveReadStep:
    """One chunk of an archive_read job, whose id is its inbox's."""
    done, job_id, job = await fetch_one(connection, RUN_ARCHIVE_READ, environment_id, inbox_id, chunk)
    return ArchiveReadStep(done, HintJob.owed(environment_id, job_id, job))


FAIL_JOB: Final = "SELECT fail_job($1, $2, $3)"


async def fail_job(connection: Connection, environment_id: UUID, job_id: UUID, error: str) -> bool:
    """Has the job wait before its next attempt; True where it is parked among the dead letters instead."""
    parked: bool = (await fetch_one(connection, FAIL_JOB, environment_id, job_id, error))[0]
    return parked
