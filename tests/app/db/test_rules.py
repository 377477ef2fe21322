"""The rules in SQL: ranges mean what the predicate says, positions hold their microsecond."""

import itertools
from uuid import UUID

import pytest

from app.contract import timestamps
from app.db.pool import Connection, fetch_one

STATES = (None, True, False)
LOW, MIDDLE, HIGH = (UUID(int=number << 64) for number in (1, 2, 3))


@pytest.mark.parametrize("view", ["default", "unread", "read", "archived"])
async def test_ranges_hold_exactly_what_the_view_does(connection: Connection, view: str) -> None:
    """For every override state, position and pair of watermarks."""
    for read, archived, item, read_mark, archive_mark in itertools.product(
        STATES,
        STATES,
        (LOW, MIDDLE, HIGH),
        (UUID(int=0), LOW, MIDDLE, HIGH),
        (UUID(int=0), LOW, MIDDLE, HIGH),
    ):
        by_predicate, by_ranges = await fetch_one(
            connection,
            """
            SELECT in_view($1, $2, $3, $4, $5, $6),
                   EXISTS (SELECT FROM view_ranges($1, $5, $6) v
                           WHERE v.override_state = $7 AND $4 > v.above AND $4 <= v.up_to)
            """,
            view,
            read,
            archived,
            item,
            read_mark,
            archive_mark,
            STATES.index(read) * 3 + STATES.index(archived),
        )
        assert by_predicate == by_ranges, (view, read, archived, item, read_mark, archive_mark)


async def test_a_position_holds_its_microsecond_and_orders_by_it(connection: Connection) -> None:
    moments = [1_795_624_365_880_239, 1_795_624_365_880_240, 1_795_624_365_881_000, 1, 999, 1000]
    positions: dict[int, UUID] = {
        us: (await fetch_one(connection, "SELECT position_at($1)", us))[0] for us in moments
    }
    for us, position in positions.items():
        assert await connection.fetchval("SELECT position_us($1)", position) == us
        assert timestamps.position_us(position) == us
        assert (position.version, position.variant) == (7, "specified in RFC 4122")
        floor, ceiling = await fetch_one(connection, "SELECT position_floor($1), position_ceiling($1)", us)
        assert floor <= position <= ceiling
        assert timestamps.position_floor(us) == floor
    assert sorted(moments) == [*sorted(positions, key=positions.__getitem__)]


async def test_a_clock_that_stands_still_or_steps_back_still_moves_positions_on(
    connection: Connection,
) -> None:
    assert await connection.fetchval("SELECT next_us(100, 100)") == 101
    assert await connection.fetchval("SELECT next_us(100, 7)") == 101
    assert await connection.fetchval("SELECT next_us(100, 200)") == 200
