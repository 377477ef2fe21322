"""Dead letters: looked at, and replayed, by operators."""

from app.contract import ids
from app.contract.errors import NotFound
from app.db import dead_letters, environments
from app.db.dead_letters import DeadLetter
from app.db.pool import Pool, acquire

PAGE = 200


async def first_page(pool: Pool) -> list[DeadLetter]:
    """The oldest 200. Raises Unavailable."""
    async with acquire(pool) as connection:
        return await dead_letters.select_dead_letters(connection, after=None, limit=PAGE)


async def replay(pool: Pool, job: str) -> int:
    """Replays one, by its TypeID. Raises NotFound, Unavailable."""
    job_id = ids.decode("job", job)
    async with acquire(pool) as connection:
        replayed = 0 if job_id is None else await dead_letters.replay_dead_letters(connection, job_id=job_id)
    if not replayed:
        raise NotFound(f"no dead letter {job}")
    return replayed


async def replay_all(pool: Pool, slug: str | None) -> int:
    """Replays all, of one environment where slug is given. Raises NotFound (no such one), Unavailable."""
    async with acquire(pool) as connection:
        environment_id = None
        if slug is not None:
            found = await environments.select_environments(connection, [slug])
            if not found:
                raise NotFound(f"no environment {slug}")
            environment_id = found[0].id
        return await dead_letters.replay_dead_letters(connection, environment_id=environment_id)
