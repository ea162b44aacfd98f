"""One poll: how far it reads, what is news, and the place after each piece of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field

from pipeflow.errors import CheckpointLostError, TransportError
from pipeflow.records import Activity, FlowPage, FlowUpdate, Note
from pipeflow.watching.place import REMEMBERED, Place
from pipeflow.watching.poll import CROWDED, MOST_MISSING, RUN, Poll, Reading, first_place, read

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
MINUTE = timedelta(minutes=1)


def note(number: int, at: datetime = LONG_AGO, *, edited: datetime | None = None) -> FlowUpdate:
    data = Note(id=number, add_time=at, update_time=edited or at)
    return FlowUpdate(object="note", timestamp=at, data=data)


def notes(count: int, first: int = 0) -> list[FlowUpdate]:
    """The newest has the highest number."""
    return [note(number) for number in range(first + count, first, -1)]


def activity(number: int, *, done: bool = False, at: datetime = LONG_AGO) -> FlowUpdate:
    data = Activity(id=number, done=done, add_time=LONG_AGO, update_time=at)
    return FlowUpdate(object="activity", timestamp=NOW + timedelta(days=number), data=data)


def nameless(at: datetime, subject: str = "made up") -> FlowUpdate:
    return FlowUpdate(object="call", timestamp=at, data={"subject": subject})


@define
class Server:
    """Serves a history in pages, and counts them."""

    history: Sequence[FlowUpdate]
    clamp: int = 500
    fails_at: int | None = None
    sizes: list[int] = field(factory=list)

    async def walk(self, first_page: int) -> AsyncGenerator[FlowPage, None]:
        start, limit = 0, min(first_page, self.clamp)
        while True:
            if self.fails_at == len(self.sizes):
                raise TransportError("made up")
            self.sizes.append(limit)
            end = start + limit
            more = end < len(self.history)
            yield FlowPage(
                updates=tuple(self.history[start:end]),
                start=start,
                more_items=more,
                next_start=end if more else None,
            )
            if not more:
                return
            start, limit = end, self.clamp


async def reading_of(
    history: Sequence[FlowUpdate],
    place: Place | None = None,
    *,
    deep: bool = False,
    max_pages: int = 20,
    deep_pages: int = 20,
    now: datetime = NOW,
    server: Server | None = None,
) -> Reading:
    server = server or Server(history)
    return await read(
        place, server.walk, lambda: now, deep=deep, max_pages=max_pages, deep_pages=deep_pages
    )


async def place_in(history: Sequence[FlowUpdate], **options: Any) -> Place:  # noqa: ANN401
    return first_place(await reading_of(history, **options))


async def polled(
    place: Place,
    history: Sequence[FlowUpdate],
    *,
    forget: bool = False,
    **options: Any,  # noqa: ANN401
) -> Poll:
    return Poll(place, await reading_of(history, place, **options), forget=forget)


def told(poll: Poll) -> list[tuple[str, Any]]:
    return [(news.kind, news.record.update.id) for news in poll.news]


# ---- how far it reads


async def test_a_beginning_reads_one_page_with_something_of_the_past() -> None:
    server = Server([*(activity(number) for number in range(600)), *notes(900)])
    reading = await reading_of([], server=server)
    assert server.sizes == [500, 500]
    assert (reading.pages, reading.ended, reading.join) == (2, False, -1)


async def test_an_idle_poll_asks_for_the_undone_and_a_few_more() -> None:
    history = [*(activity(number) for number in range(7)), *notes(900)]
    place = await place_in(history)
    server = Server(history)
    reading = await reading_of([], place, server=server)
    assert server.sizes == [7 + 2 * RUN + 10]
    assert reading.join == RUN - 1


async def test_a_page_is_never_larger_than_500() -> None:
    history = [*(activity(number) for number in range(700)), *notes(900)]
    place = await place_in(history)
    server = Server(history)
    poll = Poll(place, await reading_of([], place, server=server))
    assert server.sizes == [500, 500]
    assert told(poll) == []
    assert len(poll.place_after(0).undone) == 700


async def test_a_small_history_is_read_whole_by_each_poll() -> None:
    place = await place_in(notes(REMEMBERED))
    assert place.whole
    assert not (await place_in(notes(REMEMBERED + 1))).whole
    server = Server(notes(REMEMBERED))
    reading = await reading_of([], place, server=server)
    assert (reading.ended, reading.deep) == (True, True)


async def test_a_deep_look_reads_to_the_end_or_as_far_as_it_may() -> None:
    history = notes(2000)
    place = await place_in(history)
    assert (await reading_of(history, place, deep=True)).pages == 4
    reading = await reading_of(history, place, deep=True, deep_pages=2)
    assert (reading.pages, reading.ended, reading.deep) == (2, False, True)


async def test_many_unknown_ones_make_it_a_deep_look() -> None:
    place = await place_in(notes(900))
    history = notes(900 + CROWDED + 1)
    assert (await reading_of(history, place)).deep
    assert not (await reading_of(history, place, deep_pages=0)).deep
    assert not (await reading_of(history[1:], place)).deep


async def test_what_has_vanished_is_looked_for_in_one_more_page() -> None:
    history = [activity(1), activity(2), *notes(1200)]
    place = await place_in(history)
    without = history[1:]
    reading = await reading_of(without, place)
    assert reading.pages == 2
    sunk = [*without[:400], activity(1, done=True, at=NOW), *without[400:]]
    assert told(await polled(place, sunk)) == [("changed", 1)]


@pytest.mark.parametrize("pages", [1, 2])
async def test_a_place_that_cannot_be_joined_is_lost(pages: int) -> None:
    place = await place_in(notes(900))
    server = Server(notes(5000, first=10_000))
    with pytest.raises(CheckpointLostError, match="none of the records"):
        await reading_of([], place, server=server, max_pages=pages)
    assert len(server.sizes) == pages


async def test_a_single_known_record_far_down_joins_it_all_the_same() -> None:
    """The run of five is gone, but one that it knows is there: what is above is new."""
    known = notes(900)
    place = await place_in(known)
    history = [*notes(20, first=5000), known[30], *notes(2000, first=10_000)]
    poll = await polled(place, history, max_pages=2)
    assert poll.reading.join == 20
    assert told(poll) == [("new", number) for number in range(5001, 5021)]


async def test_all_anchors_removed_from_a_history_that_has_shrunk_to_its_end() -> None:
    """Nothing known is left, but the history was read to its end: nothing is lost, nothing new."""
    place = await place_in(notes(900))
    poll = await polled(place, notes(700))
    assert poll.reading.ended
    assert told(poll) == []
    assert told(await polled(poll.place_after(0), [note(5000, NOW), *notes(700)])) == [
        ("new", 5000)
    ]


@pytest.mark.parametrize("left", [0, 1, 4, 49, 50, 51])
async def test_a_history_that_shrinks_tells_nothing(left: int) -> None:
    place = await place_in(notes(900))
    poll = await polled(place, notes(left))
    assert told(poll) == []
    after = poll.place_after(0)
    assert after.whole is (left <= REMEMBERED)
    assert told(await polled(after, [note(5000, NOW), *notes(left)])) == [("new", 5000)]


async def test_a_poll_that_fails_in_the_middle_of_its_pages_changes_nothing() -> None:
    place = await place_in(notes(900))
    history = notes(1500)
    with pytest.raises(TransportError):
        await reading_of([], place, server=Server(history, fails_at=1))
    assert len(told(await polled(place, history))) == 600


async def test_a_page_that_repeats_a_record_counts_it_once() -> None:
    place = await place_in(notes(900))
    twice = [note(901, NOW), note(901, NOW), *notes(900)]
    assert told(await polled(place, twice)) == [("new", 901)]


# ---- what is news


async def test_the_oldest_comes_first_and_the_undone_come_last() -> None:
    place = await place_in(notes(900))
    history = [activity(2), activity(1), note(902, NOW), note(901, NOW), *notes(900)]
    assert told(await polled(place, history)) == [("new", n) for n in (901, 902, 1, 2)]


async def test_without_an_id_a_record_is_told_once() -> None:
    place = await place_in([nameless(LONG_AGO), *notes(900)])
    same_moment = [nameless(NOW), nameless(NOW), nameless(LONG_AGO), *notes(900)]
    poll = await polled(place, same_moment)
    assert told(poll) == [("new", None), ("new", None)]
    after = poll.place_after(2)
    assert told(await polled(after, same_moment)) == []
    assert told(await polled(after, [nameless(NOW), *same_moment])) == [("new", None)]


async def test_a_history_without_any_ids_is_watched_by_times() -> None:
    history = [nameless(LONG_AGO - number * MINUTE) for number in range(900)]
    place = await place_in(history)
    poll = await polled(place, [nameless(NOW), *history])
    assert told(poll) == [("new", None)]
    assert told(await polled(poll.place_after(1), [nameless(NOW), *history])) == []


async def test_deep_below_only_what_was_written_since_is_news() -> None:
    history = notes(900)
    place = await place_in(history)
    later = NOW + 5 * MINUTE
    deep = [
        *history[:300],
        note(5000, LONG_AGO),  # moved here, untouched: nobody can know
        note(5001, later),
        note(5002, LONG_AGO, edited=later),
        nameless(later),  # says nothing
        *history[300:],
    ]
    poll = await polled(place, deep, deep=True, now=later)
    assert told(poll) == [("changed", 5002), ("new", 5001)]


@pytest.mark.parametrize("skew", [-3600, -30, 30, 3600])
async def test_a_clock_that_differs_from_the_servers_loses_nothing(skew: int) -> None:
    """All moments are the server's own: those of its answers, and those in its records."""
    history = notes(900)
    place = await place_in(history, now=NOW + timedelta(seconds=skew))
    written = NOW + timedelta(seconds=skew) + MINUTE
    deep = [*history[:300], note(5000, written), *history[300:]]
    poll = await polled(place, deep, deep=True, now=written + MINUTE)
    assert told(poll) == [("new", 5000)]
    assert told(await polled(poll.place_after(1), deep, deep=True, now=written + MINUTE)) == []


async def test_a_date_header_that_lags_tells_nothing_twice() -> None:
    """A cache may stamp an answer a little too early, within the margin."""
    history = notes(900)
    place = await place_in(history)
    deep = [*history[:300], note(5000, NOW - timedelta(seconds=30)), *history[300:]]
    poll = await polled(place, deep, deep=True)
    assert told(poll) == [("new", 5000)]
    again = await polled(poll.place_after(1), deep, deep=True)
    assert told(again) == []


# ---- the place after each piece of news


async def test_after_each_piece_the_rest_is_still_news() -> None:
    place = await place_in([activity(1), activity(2), *notes(900)])
    history = [
        activity(3),
        activity(2, at=NOW),
        note(902, NOW),
        activity(1, done=True, at=NOW),
        note(901, NOW),
        *notes(900),
    ]
    poll = await polled(place, history)
    everything = told(poll)
    assert everything == [
        ("new", 901),
        ("changed", 1),
        ("new", 902),
        ("changed", 2),
        ("new", 3),
    ]
    for count in range(len(everything) + 1):
        after = poll.place_after(count)
        assert told(await polled(after, history)) == everything[count:]


async def test_what_was_remembered_below_a_short_poll_stays_remembered() -> None:
    history = notes(900)
    place = await place_in(history)
    after = (await polled(place, [note(901, NOW), *history])).place_after(1)
    assert len(after.past) == REMEMBERED
    assert list(after.past)[1:] == list(place.past)[:-1]


async def test_a_vanished_activity_is_remembered_until_a_look_at_everything() -> None:
    history = [activity(1), *notes(2000)]
    place = await place_in(history)
    after = (await polled(place, notes(2000))).place_after(0)
    assert len(after.missing) == 1
    sunk = [*notes(2000)[:1500], activity(1, done=True, at=NOW), *notes(2000)[1500:]]
    assert told(await polled(after, sunk, deep=True)) == [("changed", 1)]
    gone = await polled(after, notes(2000), deep=True)
    assert gone.place_after(0).missing == {}


async def test_no_more_vanished_ones_are_remembered_than_a_checkpoint_has_room_for() -> None:
    many = [activity(number) for number in range(MOST_MISSING + 100)]
    place = await place_in([*many, *notes(2000)])
    after = (await polled(place, notes(2000))).place_after(0)
    assert len(after.missing) == MOST_MISSING


async def test_a_deep_look_forgets_what_was_told_long_before_it() -> None:
    history = notes(900)
    place = await place_in(history)
    history = [note(901, NOW + MINUTE), *history]
    after = (await polled(place, history, now=NOW + MINUTE)).place_after(1)
    assert len(after.recent) == 1
    later = NOW + 60 * MINUTE
    deep = (await polled(after, history, deep=True, now=later)).place_after(0)
    assert deep.moment == later - MINUTE
    assert deep.recent == {}


async def test_without_deep_looks_a_crowd_is_forgotten() -> None:
    history = notes(900)
    place = await place_in(history)
    crowd = [note(10_000 - number, NOW + MINUTE) for number in range(CROWDED + 1)]
    later = NOW + 60 * MINUTE
    poll = await polled(place, [*crowd, *history], deep_pages=0, forget=True, now=later)
    assert poll.place_after(len(poll.news)).recent == {}
    remembered = await polled(place, [*crowd, *history], deep_pages=0, now=later)
    assert len(remembered.place_after(len(poll.news)).recent) == CROWDED + 1


async def test_a_crowd_within_a_minute_moves_the_moment_to_now() -> None:
    crowd = [note(10_000 - number, NOW - timedelta(seconds=10)) for number in range(CROWDED + 1)]
    place = await place_in([*crowd, *notes(900)])
    assert place.moment == NOW
    assert place.recent == {}
    place = await place_in([*crowd[1:], *notes(900)])
    assert place.moment == NOW - MINUTE
    assert len(place.recent) == CROWDED
