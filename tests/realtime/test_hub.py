"""Who is told what, with listeners that only write it down."""

import pytest

from app.contract import hints
from app.contract.errors import TooManyConnections
from app.db.subscribers import Inbox
from tests.realtime.notebook import ANN, ENVIRONMENT, OTHER, Notebook, make_hub

HINT = "hint"


def test_listeners_of_one_inbox_share_an_audience_and_the_last_one_ends_it() -> None:
    hub = make_hub()
    first, second = Notebook(hub), Notebook(hub)
    audience = first.join()
    assert second.join() is audience
    assert hub.audiences_by_key.get(hints.routing_key(ENVIRONMENT, ANN)) is audience
    hub.leave(audience, first)
    assert hub.audiences(hints.broadcast_key(ENVIRONMENT)) == [audience]
    hub.leave(audience, second)
    hub.leave(audience, second)
    assert hub.audiences_by_key.get(hints.routing_key(ENVIRONMENT, ANN)) is None
    assert (len(hub), hub.audiences(hints.broadcast_key(ENVIRONMENT)), hub.by_environment()) == (0, [], [])


def test_a_listener_that_left_and_an_audience_begun_anew_do_not_touch_each_other() -> None:
    hub = make_hub()
    early, late = Notebook(hub), Notebook(hub)
    old = early.join()
    hub.leave(old, early)
    new = late.join()
    hub.leave(old, early)
    assert hub.audiences_by_key.get(new.key) is new


def test_broadcasts_stay_in_their_environment() -> None:
    hub = make_hub()
    Notebook(hub).join()
    there = Notebook(hub).join(ANN, OTHER)
    assert hub.audiences(hints.broadcast_key(OTHER)) == [there]


def test_past_the_cap_those_that_answer_no_pings_go_first() -> None:
    hub = make_hub(cap=2)
    silent, answering, third, fourth = (
        Notebook(hub, answers_pings=False),
        Notebook(hub),
        Notebook(hub),
        Notebook(hub),
    )
    silent.join()
    answering.join()
    audience = third.join()
    assert audience.listeners == (answering, third)
    with pytest.raises(TooManyConnections):
        fourth.join()


def test_a_listener_that_leaves_while_others_are_told_disturbs_nobody() -> None:
    hub = make_hub()
    notebooks = [Notebook(hub) for _ in range(3)]
    for notebook in notebooks:
        notebook.join()
    audience = notebooks[0].join()
    audience.expel("erased")
    assert audience.listeners == ()


def test_only_newer_counts_are_taken_and_only_other_numbers_are_news() -> None:
    audience = Notebook(make_hub()).join()
    assert audience.learn(1, 1, 10)
    assert not audience.learn(1, 1, 11)
    assert not audience.learn(9, 9, 10)
    assert not audience.learn(9, 9, 11)
    assert (audience.unread, audience.unseen, audience.version) == (1, 1, 11)


def test_nobody_is_told_before_being_ready() -> None:
    hub = make_hub()
    ready, opening = Notebook(hub), Notebook(hub)
    ready.join()
    audience = opening.join(live=False)
    assert (audience.tell(HINT), audience.tell_counts()) == (1, 1)
    assert (ready.told, opening.told) == ([HINT, "0 0 -1"], [])


def test_nobody_is_told_after_leaving() -> None:
    hub = make_hub()
    notebook = Notebook(hub)
    audience = notebook.join()
    hub.leave(audience, notebook)
    assert audience.tell(HINT) == 0


def test_a_broadcast_in_a_muted_category_is_not_told() -> None:
    notebook = Notebook(make_hub())
    audience = notebook.join()
    audience.mute(["sport"])
    assert (audience.broadcast("sport", HINT), audience.broadcast("news", HINT)) == (0, 1)


def test_broadcasts_wait_while_the_muted_categories_are_being_read_again() -> None:
    notebook = Notebook(make_hub())
    audience = notebook.join()
    audience.forget_muted()
    assert (audience.broadcast("sport", HINT), audience.broadcast("news", HINT)) == (0, 0)
    assert audience.mute(["sport"]) == 1
    assert notebook.told == [HINT]


def test_many_waiting_broadcasts_become_one_resync() -> None:
    notebook = Notebook(make_hub())
    audience = notebook.join()
    audience.forget_muted()
    for _ in range(1000):
        audience.broadcast("news", HINT)
    audience.mute([])
    assert notebook.told == [*[HINT] * 15, "resync"]


def test_an_opening_does_not_bring_back_muted_categories_that_are_out_of_date() -> None:
    notebook = Notebook(make_hub())
    audience = notebook.join()
    audience.open(Inbox("ann", ANN, 0, 0, 10, ["sport"]))
    audience.open(Inbox("ann", ANN, 0, 0, 9, []))
    assert audience.broadcast("sport", HINT) == 0
    audience.forget_muted()
    audience.open(Inbox("ann", ANN, 0, 0, 11, []))
    assert audience.broadcast("sport", HINT) == 0
