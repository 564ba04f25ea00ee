"""Whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from assistant.work.queue import (
    GONE,
    PATIENCE,
    Outlook,
    Running,
    Snapshot,
    Turns,
    Waiting,
    first,
    order,
    outlook,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def one(
    number: int,
    source: str = "ui",
    actor: str = "dr",
    *,
    batch: bool = False,
    waited: timedelta = MINUTE,
    unasked: timedelta = timedelta(0),
    kind: str = "chat",
) -> Waiting:
    return Waiting(
        f"{number:04}", kind, source, actor, batch, NOW - waited, NOW - min(unasked, waited)
    )


def ids(waiting: Sequence[Waiting], turns: Turns | None = None) -> list[int]:
    return [int(w.id) for w in order(waiting, turns or {}, NOW)]


def test_one_actor_is_served_in_the_order_of_asking() -> None:
    assert ids([one(3), one(1), one(2)]) == [1, 2, 3]


def test_a_click_does_not_wait_for_sixty_jobs_of_another_client() -> None:
    flood = [one(n, "key:batch", "robot") for n in range(60)]
    turns = {("key:batch",): NOW, ("key:batch", "robot"): NOW}
    assert ids([*flood, one(60)], turns)[0] == 60


def test_sources_take_turns_and_so_do_actors_within_one() -> None:
    waiting = [one(n, "key:a", "x") for n in (1, 2, 3)]
    waiting += [one(4, "ui", "dr-1"), one(5, "ui", "dr-1"), one(6, "ui", "dr-2")]
    assert ids(waiting) == [1, 4, 2, 6, 3, 5]


def test_whose_turn_was_last_comes_last() -> None:
    waiting = [one(1, "key:a"), one(2, "key:b")]
    assert ids(waiting, {("key:a",): NOW}) == [2, 1]
    assert ids(waiting, {("key:a",): NOW - MINUTE, ("key:b",): NOW}) == [1, 2]


def test_what_somebody_waits_for_goes_before_a_batch() -> None:
    assert ids([one(1, "key:a", batch=True), one(2), one(3)]) == [2, 3, 1]


def test_work_whose_asker_is_gone_goes_last() -> None:
    gone = one(1, waited=2 * GONE, unasked=2 * GONE)
    assert ids([gone, one(2, batch=True), one(3)]) == [3, 2, 1]
    back = one(1, waited=2 * GONE)
    assert ids([back, one(2, batch=True), one(3)]) == [1, 3, 2]


def test_a_batch_that_nobody_asks_about_is_not_gone() -> None:
    silent = one(1, "key:a", batch=True, waited=2 * GONE, unasked=2 * GONE)
    gone = one(0, waited=2 * GONE, unasked=2 * GONE)
    assert ids([gone, silent]) == [1, 0]


def test_age_moves_work_up() -> None:
    old = one(9, "key:a", batch=True, waited=PATIENCE)
    assert ids([one(1, "ui"), one(2, "ui"), old]) == [1, 9, 2]
    left = one(9, "key:a", waited=PATIENCE, unasked=GONE * 2)
    batch = [one(n, "key:b", batch=True) for n in (1, 2)]
    assert ids([*batch, left]) == [1, 9, 2]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from("xyz"),
            st.booleans(),
            st.integers(0, 100),
            st.integers(0, 100),
        ),
        max_size=30,
    )
)
def test_everything_comes_once_and_each_actors_work_in_its_order(
    drawn: list[tuple[str, str, bool, int, int]],
) -> None:
    waiting = [
        one(n, source, actor, batch=batch, waited=waited * MINUTE, unasked=unasked * MINUTE)
        for n, (source, actor, batch, waited, unasked) in enumerate(drawn)
    ]
    ordered = order(waiting, {}, NOW)
    assert sorted(w.id for w in ordered) == [w.id for w in waiting]
    fresh = [w for w in ordered if not w.batch and w.asked_at == NOW]
    for key in {(w.source, w.actor) for w in fresh}:
        own = [w.id for w in fresh if (w.source, w.actor) == key]
        assert own == sorted(own)


def test_nobody_waits_for_ever() -> None:
    """While others send without end, everybody's oldest is served within a round."""
    turns: dict[tuple[str, ...], datetime] = {}
    waiting = [one(0, "ui", "dr")] + [one(n, f"key:{n % 4}", "r") for n in range(1, 40)]
    served: list[str] = []
    now = NOW
    for step in range(10):
        chosen = first(Snapshot(waiting, (), turns), now)
        taken = next(w for w in waiting if w.id == chosen)
        waiting.remove(taken)
        served.append(taken.source)
        now += timedelta(seconds=1)
        turns[(taken.source,)] = turns[(taken.source, taken.actor)] = now
        waiting.append(one(100 + step, "key:1", "r"))
    assert served.count("ui") == 1
    assert "ui" in served[:5]


def test_place_and_expected_wait() -> None:
    waiting = [one(1), one(2), one(3, kind="toy")]
    running = [Running("chat", NOW - timedelta(seconds=4))]
    known = Snapshot(waiting, running, {}, {"chat": 10.0, "toy": 5.0})
    assert outlook(known, "0001", 1, NOW) == Outlook(1, 6.0)
    assert outlook(known, "0003", 1, NOW) == Outlook(3, 26.0)
    assert outlook(known, "0002", 2, NOW) == Outlook(2, 6.0)
    assert outlook(known, "0009", 1, NOW) is None
    unknown = Snapshot(waiting, running, {}, {"toy": 5.0})
    assert outlook(unknown, "0002", 1, NOW) == Outlook(2, None)


def test_work_that_takes_longer_than_usual_may_end_at_any_moment() -> None:
    late = Snapshot([one(1)], [Running("chat", NOW - MINUTE)], {}, {"chat": 10.0})
    assert outlook(late, "0001", 1, NOW) == Outlook(1, 0.0)
