"""Batches of jobs shrink where the machine is slow, so that nobody waits long for the one under way."""

import pytest

from app.worker.pace import BATCH_S, Pace


@pytest.mark.parametrize("seconds_a_job", [0.0001, 0.0005, 0.002])
def test_a_batch_takes_as_long_as_it_should_after_one_that_did_not(seconds_a_job: float) -> None:
    """A fixed cost beside that of each job is approached from above."""
    pace = Pace(500)
    for _ in range(5):
        pace.took(0.002 + pace.size * seconds_a_job)
    assert 20 <= pace.size <= 500
    assert pace.size * seconds_a_job <= BATCH_S
    assert pace.size == 500 or pace.size * seconds_a_job > 0.7 * BATCH_S


def test_it_recovers_from_a_stall_within_a_few_batches() -> None:
    pace = Pace(500)
    pace.took(30)
    assert pace.size == 20
    for _ in range(3):
        pace.took(0.002 + pace.size * 0.00005)
    assert pace.size == 500
