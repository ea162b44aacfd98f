"""The model-based tester with one seed, and the judge that it relies on."""

from __future__ import annotations

import runpy
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from pipeflow.errors import PaginationError
from pipeflow.records import FlowPage
from pipeflow.walking.plan import PageRequest
from tests.walking.collection import note
from tests.walking.model import figures, walks
from tests.walking.model.figures import Figures, many_walks
from tests.walking.model.history import KINDS
from tests.walking.model.walks import RandomWalk, what_is_wrong

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pipeflow.walking.plan import WalkPlan
    from pipeflow.walking.prefetching import FetchAnswer

SEED = 7


async def test_2000_walks_lose_nothing_double_nothing_and_end() -> None:
    found = await many_walks(SEED, 2000)
    assert found.wrong == []
    assert found.counts.keys() == KINDS.keys()
    for counts in found.counts.values():
        assert counts["walks"] >= 2000 // len(KINDS)
        assert counts["changes"] > counts["walks"] / 2
        assert counts["lost_its_place"] < counts["walks"] / 50
        assert counts["requests"] < 2 * counts["pages"]


def test_it_is_a_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without_fail(seed: int, count: int) -> Figures:
        return await many_walks(seed, count)

    async def with_a_fault(seed: int, count: int) -> Figures:
        return evolve(await many_walks(seed, count), wrong=["a walk: it lost a record"])

    monkeypatch.setattr(sys, "argv", ["model", "--seed", "5", "--walks", "9"])
    for many, code in ((without_fail, 0), (with_a_fault, 1)):
        monkeypatch.setattr(figures, "many_walks", many)
        # In a thread: Python 3.11 stops tracing a frame above asyncio.run, and coverage its lines.
        with ThreadPoolExecutor() as thread:
            left = thread.submit(
                runpy.run_module, "tests.walking.model", run_name="__main__"
            ).exception()
        assert isinstance(left, SystemExit)
        assert left.code == code
        assert f"\n{code} wrong\n" in capsys.readouterr().out


def page(*numbers: int, start: int = 0) -> FlowPage:
    updates = tuple(
        evolve(note(number, start + place), data={"text": f"record {number}"})
        for place, number in enumerate(numbers)
    )
    return FlowPage(updates=updates, start=start)


def stood(*numbers: int) -> list[str]:
    return [f"record {number}" for number in numbers]


def test_a_right_walk_is_right() -> None:
    pages = [page(0, 9, 1), page(2, 3, start=3)]
    assert what_is_wrong(pages, stood(0, 1, 2, 3), None) == []
    assert what_is_wrong(pages, stood(0, 1, 2, 3, 4), 5) == []


@pytest.mark.parametrize(
    ("pages", "max_items", "complaint"),
    [
        ([page(0, 1, 3)], None, "it lost ['record 2']"),
        ([page(0, 1, 3)], 4, "it lost ['record 2']"),
        ([page(0, 1, 1, 2, 3)], None, "it yielded 5 records and not 4"),
        ([page(0, 2, 1, 3)], None, "its records came out of order"),
        ([page(0, 1, 2, 3)], 3, "it yielded 4 records and not 3"),
        ([page(0, 1, 2, 3), page(start=4)], None, "a page does not start with its first update"),
        (
            [evolve(page(0, 1, 2, 3), start=5)],
            None,
            "a page does not start with its first update",
        ),
    ],
)
def test_a_broken_promise_is_noticed(
    pages: list[FlowPage], max_items: int | None, complaint: str
) -> None:
    assert what_is_wrong(pages, stood(0, 1, 2, 3), max_items) == [complaint]


async def test_a_walk_that_gives_up_or_asks_too_often_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def bad_walk(
        fetch: FetchAnswer[FlowPage], _decode: object, _plan: WalkPlan
    ) -> AsyncGenerator[FlowPage, None]:
        for _ in range(4000):
            yield await fetch(PageRequest(0, 1))
        raise PaginationError("no more of it")

    monkeypatch.setattr(walks, "walk_pages_ahead", bad_walk)
    outcome = await RandomWalk("1", "nothing").run()
    gave_up, too_many = outcome.wrong
    assert gave_up == "it ended: no more of it"
    assert too_many.startswith("it made 4000 requests for ")


async def test_a_walk_with_too_many_requests_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "MOST_REQUESTS", 1)
    wrong = [await RandomWalk(f"{number}", "nothing").run() for number in range(20)]
    assert ["it was endless"] in [outcome.wrong for outcome in wrong]
