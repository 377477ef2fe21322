"""Dead letters: looked at, and replayed, by operators."""

from app.contract import admin_views, ids, timestamps
from app.contract.admin_views import Replayed
from app.contract.errors import NotFound
from app.contract.resources import Listing
from app.db import audit, dead_letters
from app.db.admin_sessions import AdminIdentity
from app.db.dead_letters import DeadLetter
from app.db.pool import Pool, acquire
from app.services.acting import acting
from app.services.environments import existing
from app.services.places import TimedPlace


class DeadLetters:
    """actor: who asks; None for whoever runs the server. env: an environment's slug, or its id."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(
        self, env: str | None = None, *, after: TimedPlace | None, limit: int
    ) -> Listing[admin_views.DeadLetter]:
        """Oldest first, of one environment where it is given. Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            environment = None if env is None else await existing(connection, env)
            found = await dead_letters.select_dead_letters(
                connection,
                after=None if after is None else (after.time, after.id),
                limit=limit + 1,
                environment_id=None if environment is None else environment.id,
            )
        last = found[limit - 1] if len(found) > limit else None
        return Listing(
            items=[_dead_letter(one) for one in found[:limit]],
            next_cursor=None if last is None else TimedPlace(last.parked_at, last.id).encode(),
        )

    async def replay(self, actor: AdminIdentity | None, job: str) -> Replayed:
        """One, by its TypeID. Raises NotFound, Unavailable."""
        job_id = ids.decode("job", job)
        async with acting(self._pool, actor) as connection:
            slug = None if job_id is None else await dead_letters.select_environment_of(connection, job_id)
            replayed = (
                0 if slug is None else await dead_letters.replay_dead_letters(connection, job_id=job_id)
            )
            if not replayed:
                raise NotFound(f"no dead letter {job}")
            await audit.insert_entry(
                connection, actor, "dead_letter.replay", target=job, environment_slug=slug
            )
        return Replayed(replayed)

    async def replay_all(self, actor: AdminIdentity | None, env: str | None) -> Replayed:
        """All, of one environment where it is given. Raises NotFound, Unavailable."""
        async with acting(self._pool, actor) as connection:
            environment = None if env is None else await existing(connection, env)
            replayed = await dead_letters.replay_dead_letters(
                connection, environment_id=None if environment is None else environment.id
            )
            await audit.insert_entry(
                connection,
                actor,
                "dead_letter.replay_all",
                environment_slug=None if environment is None else environment.slug,
                details={"replayed": replayed},
            )
        return Replayed(replayed)


def _dead_letter(letter: DeadLetter) -> admin_views.DeadLetter:
    return admin_views.DeadLetter(
        id=ids.encode("job", letter.id),
        environment_slug=letter.environment_slug,
        job_type=letter.job_type,
        attempts=letter.attempts,
        last_error=letter.last_error,
        parked_at=timestamps.format_datetime(letter.parked_at),
    )
