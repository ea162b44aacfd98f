"""What can happen to the histories of the fake, and where it shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.testing import Clock, FakePipedrive, generate_history

from .asking import ask, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeflow.testing.requests import Whose

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOW = "2026-11-26 12:00:00"


def at(number: int, timestamp: str, kind: str = "note", **data: object) -> dict[str, Any]:
    return {"object": kind, "timestamp": timestamp, "data": {"id": number, **data}}


def day(number: int, kind: str = "note", **data: object) -> dict[str, Any]:
    """A record of a day in May, with the day as its id."""
    return at(number, f"2026-05-{number:02} 10:00:00", kind, **data)


def planned(number: int) -> dict[str, Any]:
    return day(number, "activity", done=False, person_id=7, marked_as_done_time="", update_time="")


def living(**options: Any) -> FakePipedrive:  # noqa: ANN401 - the options of the fake
    options.setdefault("persons", {7: [planned(20), planned(9), day(12), day(10), day(5)], 8: []})
    return FakePipedrive(clock=Clock(NOON, speed=0), **options)


def ids(records: Iterable[Any]) -> list[int]:
    return [record["data"]["id"] for record in records]


@pytest.mark.parametrize(
    ("record", "order"),
    [
        (day(28), [20, 9, 28, 12, 10, 5]),
        (day(11), [20, 9, 12, 11, 10, 5]),
        (at(99, "2026-05-10 10:00:00"), [20, 9, 12, 99, 10, 5]),
        (day(1), [20, 9, 12, 10, 5, 1]),
        (planned(30), [30, 20, 9, 12, 10, 5]),
        (planned(15), [20, 15, 9, 12, 10, 5]),
        (planned(1), [20, 9, 1, 12, 10, 5]),
        (day(11, "activity", done=True), [20, 9, 12, 11, 10, 5]),
    ],
)
def test_a_record_appears_where_pipedrives_order_puts_it(
    record: dict[str, Any], order: list[int]
) -> None:
    fake = living()
    fake.add(record, person=7)
    assert ids(fake.records(person=7)) == order


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_a_history_added_in_any_order_is_the_same(chance: Any, seed: int) -> None:  # noqa: ANN401
    history = generate_history(seed=seed, size=60)
    shuffled = chance.sample(history, len(history))
    fake = FakePipedrive(persons={7: []})
    for record in shuffled:
        fake.add(record, person=7)
    stamps = [(record["timestamp"]) for record in fake.records(person=7)]
    assert stamps == [record["timestamp"] for record in history]


def test_a_record_can_show_in_several_histories() -> None:
    fake = living(deals={3: []})
    fake.add(day(28), person=7, deal=3)
    fake.edit("note", 28, {"content": "new"}, person=7, deal=3)
    assert fake.records(deal=3) == [day(28, content="new")]
    assert fake.records(person=7)[2] == day(28, content="new")


def test_an_activity_that_is_done_moves_down_to_its_time() -> None:
    fake = living()
    fake.mark_done(9, person=7)
    records = fake.records(person=7)
    assert ids(records) == [20, 12, 10, 9, 5]
    assert records[3]["timestamp"] == "2026-05-09 10:00:00"
    done = records[3]["data"]
    assert (done["done"], done["marked_as_done_time"], done["update_time"]) == (True, NOW, NOW)


def test_one_that_was_due_later_than_all_stays_on_top_of_what_is_done() -> None:
    fake = living()
    fake.mark_done(20, person=7)
    assert ids(fake.records(person=7)) == [9, 20, 12, 10, 5]


def test_an_edited_record_stays_where_it_is() -> None:
    fake = living()
    fake.edit("note", 10, {"content": "new"}, person=7)
    assert fake.records(person=7)[3] == day(10, content="new")


def test_an_edited_record_whose_time_changes_moves() -> None:
    fake = living()
    fake.edit("note", 10, {"timestamp": "2026-05-13 10:00:00"}, person=7)
    assert ids(fake.records(person=7)) == [20, 9, 10, 12, 5]
    assert fake.records(person=7)[2] == at(10, "2026-05-13 10:00:00")


def test_a_record_without_an_id_is_named_by_its_uuid() -> None:
    comment = {"object": "comment", "timestamp": NOW, "data": {"uuid": "1a2b", "content": "old"}}
    fake = living(persons={7: [comment]})
    fake.edit("comment", "1a2b", {"content": "new"}, person=7)
    assert fake.records(person=7)[0]["data"]["content"] == "new"


def test_a_record_goes_to_another_person() -> None:
    activity = day(9, "activity", done=True, person_id=7, update_time="2026-05-09 10:00:00")
    activity["data"]["participants"] = [{"person_id": 7}, {"person_id": 5}]
    fake = living(persons={7: [activity, day(5)], 8: [day(12)]})
    fake.move("activity", 9, person=7, to=8)
    assert ids(fake.records(person=7)) == [5]
    assert ids(fake.records(person=8)) == [12, 9]
    moved = fake.records(person=8)[1]["data"]
    assert moved["person_id"] == 8
    assert moved["update_time"] == NOW
    assert moved["participants"] == [{"person_id": 8}, {"person_id": 5}]


def test_a_record_goes_to_another_deal() -> None:
    fake = living(deals={3: [day(9, deal_id=3, participants=[{"person_id": 3}])], 4: []})
    fake.move("note", 9, deal=3, to=4)
    assert fake.records(deal=3) == []
    assert fake.records(deal=4)[0]["data"] == {
        "id": 9,
        "deal_id": 4,
        "participants": [{"person_id": 3}],
    }


def test_a_record_disappears() -> None:
    fake = living()
    fake.remove(("note", 10), person=7)
    fake.remove(-1, person=7)
    fake.remove(day(12), person=7)
    assert ids(fake.records(person=7)) == [20, 9]


async def test_a_new_person_has_an_empty_history() -> None:
    async with living() as fake:
        fake.create(person=9, deal=3)
        assert (await ask(fake, "/persons/9/flow")).data is None
        fake.add(day(5), person=9, deal=3)
        assert await walk(fake, "/persons/9/flow") == await walk(fake, "/deals/3/flow") == [day(5)]


def test_a_person_is_not_created_twice() -> None:
    fake = living()
    with pytest.raises(ValueError, match="holds person 7 already"):
        fake.create(person=7)
    with pytest.raises(ValueError, match="name one history"):
        fake.create()
    assert fake.records(person=7)


async def test_a_merged_person_is_gone_and_the_other_has_both_histories() -> None:
    async with living(persons={7: [day(9), day(5)], 8: [day(7)]}) as fake:
        fake.merge(person=7, into=8)
        assert (await ask(fake, "/persons/7/flow")).status == 404
        assert ids(await walk(fake, "/persons/8/flow")) == [9, 7, 5]
        assert not fake.exists(person=7)


async def test_a_deleted_person_is_gone() -> None:
    async with living() as fake:
        fake.delete(person=7)
        assert (await ask(fake, "/persons/7/flow")).status == 404
        assert (await ask(fake, "/persons/8/flow")).status == 200


def test_a_person_is_not_merged_into_itself() -> None:
    fake = living()
    with pytest.raises(ValueError, match="itself"):
        fake.merge(person=7, into=7)
    assert fake.exists(person=7)


async def test_the_flow_can_lag_behind_what_happens() -> None:
    async with living(persons={7: [day(5)]}) as fake:
        fake.lag = 2.0
        assert fake.lag == 2.0
        fake.add(day(9), person=7)
        fake.clock.advance(1.5)
        fake.edit("note", 9, {"content": "new"}, person=7)
        assert await walk(fake, "/persons/7/flow") == [day(5)]
        fake.clock.advance(0.5)
        assert await walk(fake, "/persons/7/flow") == fake.records(person=7) == [day(9), day(5)]
        fake.clock.advance(1.5)
        assert await walk(fake, "/persons/7/flow") == [day(9, content="new"), day(5)]


def test_what_happens_without_a_lag_shows_all_that_happened() -> None:
    fake = living(persons={7: []})
    fake.lag = 60
    fake.add(day(5), person=7)
    fake.lag = 0
    fake.add(day(9), person=7)
    assert ids(fake.records(person=7)) == [9, 5]


CHANGES: list[Callable[..., None]] = [
    lambda fake, **whose: fake.add(day(1), **whose),
    lambda fake, **whose: fake.edit("note", 5, {}, **whose),
    lambda fake, **whose: fake.mark_done(9, **whose),
    lambda fake, **whose: fake.move("note", 5, to=8, **whose),
    lambda fake, **whose: fake.remove(("note", 5), **whose),
    lambda fake, **whose: fake.merge(into=8, **whose),
    lambda fake, **whose: fake.delete(**whose),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("whose", "error"),
    [({}, ValueError), ({"lead": 7}, ValueError), ({"person": 9}, LookupError)],
)
def test_what_happens_happens_to_somebody(
    change: Callable[..., None], whose: Whose, error: type[Exception]
) -> None:
    fake = living()
    before = fake.records(person=7)
    with pytest.raises(error):
        change(fake, **whose)
    assert fake.records(person=7) == before


@pytest.mark.parametrize("change", CHANGES[1:5])
def test_what_is_not_there_cannot_change(change: Callable[..., None]) -> None:
    fake = living(persons={7: [day(12)], 8: []})
    with pytest.raises(LookupError, match="the history holds no"):
        change(fake, person=7)
    assert fake.records(person=7) == [day(12)]


def test_a_record_does_not_go_to_nobody() -> None:
    fake = living()
    with pytest.raises(LookupError, match="holds no person 9"):
        fake.move("note", 5, person=7, to=9)
    assert 5 in ids(fake.records(person=7))
