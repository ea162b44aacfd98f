from __future__ import annotations

import asyncio
import pickle
import tracemalloc
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow.errors import (
    BlockedError,
    FlowsFailed,
    InvalidIdError,
    NotFoundError,
    PipeflowError,
    ServerError,
    TransportError,
)
from pipeflow.owners import OwnerKind
from pipeflow.records import FlowPage, FlowUpdate
from pipeflow.walking.many import FAILURES_KEPT
from tests.walking.people import (
    CONCERN_ALL,
    OwnError,
    People,
    collected,
    fails,
    others,
    turns,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


async def test_failures_are_raised_at_the_end_with_owner_and_place() -> None:
    people = People(fail=fails(3, 5))
    offsets: dict[int, list[int]] = {}
    with pytest.raises(FlowsFailed, match="2 of 10 persons failed") as caught:
        async for person_id, update in walks(range(1, 11), people):
            offsets.setdefault(person_id, []).append(update.offset)
    failed = caught.value
    assert failed.exceptions == failed.failures
    assert sorted((error.owner_id, error.resume_start) for error in failed.failures) == [
        (3, 2),
        (5, 2),
    ]
    assert (failed.begun, failed.failure_count, failed.unfinished) == (10, 2, {})
    assert failed.stopped_by is None
    assert not hasattr(failed, "__notes__")
    assert offsets.pop(3) == offsets.pop(5) == [0, 1]
    assert offsets == {person_id: list(range(6)) for person_id in (1, 2, 4, 6, 7, 8, 9, 10)}


async def test_the_message_names_the_kind() -> None:
    with pytest.raises(FlowsFailed, match="1 of 1 deals failed"):
        await collected(walks([3], People(fail=fails(3)), kind=OwnerKind.DEAL))


async def test_the_first_failure_stops_all_when_told_so() -> None:
    people = People(pages=50, fail=fails(3))
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks(range(1, 1000), people, concurrency=4, on_error="raise"))
    failed = caught.value
    assert isinstance(failed.stopped_by, ServerError)
    assert failed.failures == failed.exceptions == (failed.stopped_by,)
    assert failed.stopped_by.owner_id == 3
    assert set(failed.unfinished) == {1, 2, 4}
    assert len(people.begun) < 10
    assert people.under_way == 0
    assert others() == set()


@pytest.mark.parametrize("kind", CONCERN_ALL)
async def test_what_concerns_all_stops_everything_and_says_who_is_not_done(
    kind: type[PipeflowError],
) -> None:
    ids = list(range(1, 41))
    people = People(fail=fails(20, kind=kind))
    done: list[int] = []
    offsets: dict[int, list[int]] = {}
    with pytest.raises(FlowsFailed) as caught:
        async for person_id, update in walks(ids, people, concurrency=4, on_done=done.append):
            offsets.setdefault(person_id, []).append(update.offset)
    failed = caught.value
    assert type(failed.stopped_by) is kind
    assert failed.exceptions == (failed.stopped_by,)
    assert failed.failures == ()
    assert getattr(failed.stopped_by, "owner_id", None) == 20
    assert 20 in failed.unfinished
    assert sorted([*done, *failed.unfinished]) == ids[: failed.begun]
    twin = pickle.loads(pickle.dumps(failed))
    assert (twin.begun, twin.unfinished) == (failed.begun, failed.unfinished)

    more = await collected(walks(failed.remaining(ids), People()))
    for person_id in ids:
        assert offsets.get(person_id, []) + more.get(person_id, []) == list(range(6))


@pytest.mark.parametrize("kind", CONCERN_ALL)
async def test_what_concerns_all_is_asked_no_more_often_than_there_are_walks(
    kind: type[PipeflowError],
) -> None:
    people = People(fail=fails(*range(1, 61), kind=kind, at=0))
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks(range(1, 61), people, concurrency=8))
    assert len(people.begun) <= 8
    assert caught.value.unfinished == dict.fromkeys(range(1, caught.value.begun + 1), 0)


async def test_one_kind_can_be_handled_with_the_whole_account() -> None:
    people = People(fail=lambda person_id, start: fails(person_id)(person_id, start))
    people.fail = lambda person_id, start: (
        ServerError("no", status=500) if person_id < 3 else BlockedError("blocked", status=403)
    )
    handled: list[BaseExceptionGroup[Any]] = []
    with pytest.raises(FlowsFailed) as caught:
        try:
            await collected(walks([1, 2, 3], people, concurrency=1))
        except* BlockedError as blocked:
            handled.append(blocked)
    [part] = handled
    rest = caught.value
    assert isinstance(part, FlowsFailed)
    assert part.exceptions == (part.stopped_by,)
    assert rest.exceptions == rest.failures == part.failures
    assert part.unfinished == rest.unfinished == {3: 0}
    assert part.begun == rest.begun == 3


async def test_what_was_consumed_is_not_among_the_unfinished() -> None:
    people = People(pages=9, fail=fails(2, kind=BlockedError, at=6))
    consumed: dict[int, int] = {}
    with pytest.raises(FlowsFailed) as caught:
        async for person_id, update in walks([1, 2, 3], people, concurrency=3):
            consumed[person_id] = update.offset + 1
    assert caught.value.unfinished == consumed
    assert consumed[2] == 6


async def test_the_message_counts_who_is_done_and_who_is_not() -> None:
    people = People(
        pages=1,
        fail=lambda person_id, start: (
            ServerError("no", status=500)
            if person_id < 3
            else NotFoundError("gone", status=404)
            if person_id == 3
            else BlockedError("blocked", status=403)
            if person_id > 6
            else None
        ),
    )
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks(range(1, 100), people, concurrency=1, skip_missing=True))
    assert caught.value.message == (
        "2 of 7 persons failed, 3 are done, 1 missing, 1 unfinished: stopped by BlockedError: "
        "blocked"
    )
    assert caught.value.__notes__ == ["unfinished, with the offset to go on from: {7: 0}"]


async def test_a_stop_ends_the_other_walks_though_the_consumer_is_busy() -> None:
    people = People(pages=50, fail=fails(1, kind=BlockedError, at=2))
    async with aclosing(walks(range(1, 9), people)) as updates:
        await anext(updates)
        await turns(50)
        assert people.under_way == 0


@pytest.mark.parametrize("stopping", range(3, 17))
@pytest.mark.parametrize(("pages", "max_items"), [(1, None), (3, 2)])
async def test_whoever_came_to_its_end_before_a_stop_is_done_though_the_consumer_is_busy(
    stopping: int, pages: int, max_items: int | None
) -> None:
    """The end of a walk does not wait behind the pages that nobody takes yet."""
    people = People(pages=pages, fail=fails(stopping, kind=BlockedError, at=0))
    done: list[int] = []
    seen: set[int] = set()
    with pytest.raises(FlowsFailed) as caught:
        async for person_id, _ in walks(
            range(1, 99), people, concurrency=8, max_items=max_items, on_done=done.append
        ):
            seen.add(person_id)
            await turns(50)
    assert set(done) == seen
    assert set(caught.value.unfinished) & seen == set()


async def test_a_total_that_is_reached_is_an_end() -> None:
    """The last page names a next one then, and the walk has come to its end all the same."""
    people = People(fail=fails(2, kind=BlockedError, at=0))
    done: list[int] = []
    with pytest.raises(FlowsFailed) as caught:
        async for _ in walks([1, 2], people, concurrency=2, max_items=2, on_done=done.append):
            await turns(50)
    assert done == [1]
    assert caught.value.unfinished == {2: 0}


async def test_a_walk_can_end_without_a_last_page() -> None:
    """What its last page claimed was not there any more."""
    people = People(pages=1)
    people.page = lambda start: FlowPage(  # type: ignore[method-assign]
        updates=(FlowUpdate(object="note"),),
        start=start,
        page_size=2,
        more_items=True,
        next_start=start + 2,
    )
    done: list[int] = []
    assert await collected(walks([1], people, on_done=done.append)) == {1: [0]}
    assert done == [1]


async def test_failures_before_the_stop_are_kept() -> None:
    def fail(person_id: int, start: int) -> PipeflowError | None:
        if person_id == 2:
            return ServerError("no", status=500)
        return BlockedError("blocked", status=403) if person_id == 30 else None

    with pytest.raises(FlowsFailed) as caught:
        await collected(walks(range(1, 100), People(fail=fail), concurrency=2))
    assert [failure.owner_id for failure in caught.value.failures] == [2]
    assert caught.value.exceptions == (*caught.value.failures, caught.value.stopped_by)


async def test_of_many_failures_the_first_are_kept_and_each_is_told_of() -> None:
    count = FAILURES_KEPT + 500
    told: list[int | None] = []
    people = People(fail=fails(*range(1, count + 1), at=0))
    with pytest.raises(
        FlowsFailed, match=r"1500 of 1500 persons failed \(the first 1000"
    ) as caught:
        await collected(
            walks(range(1, count + 1), people, on_failure=lambda error: told.append(error.owner_id))
        )
    assert sorted(told, key=str) == sorted(range(1, count + 1), key=str)
    assert caught.value.failure_count == count
    assert len(caught.value.failures) == len(caught.value.exceptions) == FAILURES_KEPT
    assert [error.owner_id for error in caught.value.failures] == told[:FAILURES_KEPT]


async def test_failures_take_little_memory() -> None:
    """They hold no frame: not their own, nor of what they were raised from."""

    def break_off(hoard: bytes) -> None:
        raise OSError(len(hoard))

    def fail(person_id: int, start: int) -> PipeflowError:
        error = TransportError("no answer")
        try:
            break_off(bytes(100_000))
        except OSError as cause:
            error.__cause__ = cause
            cause.__context__ = ExceptionGroup("inner", [cause, KeyError()])
        return error

    tracemalloc.start()
    try:
        with pytest.raises(FlowsFailed) as caught:
            await collected(walks(range(1, 1001), People(fail=fail)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(caught.value.failures) == 1000
    assert isinstance(caught.value.failures[0].__cause__, OSError)
    assert held / 1000 < 5_000


@pytest.mark.parametrize("on_error", ["collect", "raise"])
async def test_missing_persons_are_passed_over_when_told_so(on_error: str) -> None:
    done: list[int] = []
    missing: list[int] = []
    people = People(fail=fails(2, kind=NotFoundError, at=0))
    offsets = await collected(
        walks(
            [1, 2, 3],
            people,
            skip_missing=True,
            on_error=on_error,
            on_done=done.append,
            on_missing=missing.append,
        )
    )
    assert set(offsets) == {1, 3}
    assert (sorted(done), missing) == ([1, 3], [2])
    assert set(await collected(walks([1, 2, 3], people, skip_missing=True))) == {1, 3}


async def test_missing_persons_are_failures_otherwise() -> None:
    people = People(fail=fails(2, kind=NotFoundError, at=0))
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks([1, 2, 3], people))
    assert [type(failure) for failure in caught.value.failures] == [NotFoundError]


# ---- what the caller's own code raises


async def test_what_the_ids_raise_stops_all() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OwnError

    done: list[int] = []
    with pytest.raises(FlowsFailed, match="stopped by OwnError") as caught:
        await collected(walks(broken(), People(), on_done=done.append))
    assert isinstance(caught.value.stopped_by, OwnError)
    assert sorted([*done, *caught.value.unfinished]) == [1]
    assert others() == set()


async def test_a_fault_that_is_not_ours_stops_all() -> None:
    people = People(fail=lambda person_id, start: OwnError() if person_id == 3 else None)
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks(range(1, 100), people))
    assert isinstance(caught.value.stopped_by, OwnError)
    assert 3 in caught.value.unfinished


def raising(_: object) -> None:
    raise OwnError


async def raising_later(_: object) -> None:
    await asyncio.sleep(0)
    raise OwnError


@pytest.mark.parametrize("callback", [raising, raising_later])
@pytest.mark.parametrize("name", ["on_done", "on_failure", "on_missing"])
async def test_what_a_callback_raises_stops_all_with_all_accounted_for(
    name: str, callback: Callable[[object], object]
) -> None:
    told: dict[str, list[Any]] = {"on_done": [], "on_failure": [], "on_missing": []}
    callbacks: dict[str, Any] = {other: news.append for other, news in told.items()}
    callbacks[name] = callback
    people = People(
        fail=lambda person_id, start: (
            NotFoundError("gone", status=404)
            if person_id % 3 == 0
            else ServerError("no", status=500)
            if person_id % 3 == 1
            else None
        )
    )
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks(range(1, 100), people, skip_missing=True, **callbacks))
    failed = caught.value
    assert isinstance(failed.stopped_by, OwnError)
    assert failed.stopped_by.__notes__[0].startswith(f"raised by {name}(")
    assert failed.exceptions == (*failed.failures, failed.stopped_by)
    told_of = len(told["on_done"]) + len(told["on_missing"]) + len(failed.failures)
    assert told_of + len(failed.unfinished) == failed.begun - (name != "on_failure")
    assert people.under_way == 0
    assert others() == set()


async def test_ids_that_cannot_be_one_are_accounted_for_when_a_callback_raises_before() -> None:
    """They stand in the queue then, and have no place in `unfinished`."""
    people = People(pages=1)
    with pytest.raises(FlowsFailed) as caught:
        async for _ in walks([1, *"abc"], people, concurrency=1, on_done=raising):
            await turns(30)
    failed = caught.value
    assert [type(error) for error in failed.failures] == [InvalidIdError] * (failed.begun - 1)
    assert failed.begun > 1


async def test_the_message_does_not_count_what_repeats() -> None:
    with pytest.raises(FlowsFailed, match="1 of 2 persons failed"):
        await collected(walks([1, 2, 2, 1, 2], People(fail=fails(1))))


async def test_a_callback_that_raises_on_the_fatal_failure_hides_nothing() -> None:
    people = People(fail=fails(1, at=0))
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks([1], people, on_error="raise", on_failure=raising))
    assert [type(error) for error in caught.value.exceptions] == [ServerError, OwnError]
    assert isinstance(caught.value.stopped_by, OwnError)


async def test_a_callback_may_be_async() -> None:
    done: list[int] = []

    async def note(person_id: int) -> None:
        await turns(3)
        done.append(person_id)

    await collected(walks(range(1, 20), People(), on_done=note))
    assert sorted(done) == list(range(1, 20))
