from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.errors import PaginationError
from pipeflow.walking.standstill import Standstill
from tests.walking.collection import page_of, walked

if TYPE_CHECKING:
    from pipeflow.records import FlowPage
    from pipeflow.walking.plan import PageRequest


async def test_a_mock_that_always_claims_more_ends() -> None:
    """A mock server made from the OpenAPI document answers every offset with its example."""
    asked: list[int] = []

    async def example(request: PageRequest) -> FlowPage:
        asked.append(request.start)
        return page_of([1, 2], start=request.start, more=True)

    with pytest.raises(PaginationError, match="does not advance: 5 pages in a row") as caught:
        await walked(example)
    assert len(asked) == 1 + 5
    assert caught.value.resume_start == asked[-1] + 2


async def test_empty_pages_that_claim_more_end() -> None:
    asked: list[int] = []

    async def empty(request: PageRequest) -> FlowPage:
        asked.append(request.start)
        next_start = request.start + request.limit
        return page_of([], start=request.start, more=True, next_start=next_start)

    with pytest.raises(PaginationError):
        await walked(empty)
    assert len(asked) == 5


async def test_a_stuck_offset_ends() -> None:
    async def stuck(request: PageRequest) -> FlowPage:
        return page_of(range(10), start=0, more=True, next_start=10)

    with pytest.raises(PaginationError):
        await walked(stuck)


async def test_pages_that_go_round_end() -> None:
    count = 0

    async def round_and_round(request: PageRequest) -> FlowPage:
        nonlocal count
        count += 1
        numbers = [[0, 1, 2], [2, 3, 4], [4, 5, 0]][(count - 1) % 3]
        return page_of(numbers, start=request.start, more=True)

    with pytest.raises(PaginationError, match="does not advance"):
        await walked(round_and_round)
    assert count == 10


async def test_a_few_barren_pages_are_passed_over() -> None:
    async def sparse(request: PageRequest) -> FlowPage:
        start = request.start
        numbers = [start] if start % 50 == 0 else []
        return page_of(numbers, start=start, more=start < 200, next_start=start + 10)

    assert await walked(sparse) == [0, 50, 100, 150, 200]


def test_five_pages_are_not_too_many_while_less_is_read_again_than_was_yielded() -> None:
    standstill = Standstill()
    standstill.check(
        page_of(range(100), start=0, more=True), [page_of(range(100), start=0, more=True)], 100
    )
    for again in range(20):
        page = page_of(range(10 * again, 10 * again + 10), start=100 + 10 * again, more=True)
        standstill.check(page, [], 110 + 10 * again)
    with pytest.raises(PaginationError, match="21 pages in a row up to offset 310") as caught:
        standstill.check(page_of(range(10), start=300, more=True), [], 310)
    assert caught.value.resume_start == 310


def test_a_page_with_something_new_is_a_new_beginning() -> None:
    standstill = Standstill()
    page = page_of([1], start=0, more=True)
    for _ in range(3):
        for _ in range(4):
            standstill.check(page, [], 1)
        standstill.check(page, [page], 1)


def test_one_page_four_times_is_not_the_end_and_five_times_is() -> None:
    standstill = Standstill()
    for _ in range(4):
        standstill.check(page_of([1], start=0, more=True), [], 1)
    standstill.check(page_of([2], start=0, more=True), [page_of([2], start=0, more=True)], 1)
    for _ in range(4):
        standstill.check(page_of([1], start=0, more=True), [], 1)
    with pytest.raises(PaginationError):
        standstill.check(page_of([1], start=0, more=True), [], 1)


def test_a_leap_is_not_read_again() -> None:
    standstill = Standstill()
    page = page_of([1, 2], start=0, more=True)
    standstill.check(page, [page], 2)
    for at, end in enumerate((900, 901, 902, 903)):
        standstill.check(page_of([at], start=end, more=True), [], end)
    standstill.check(page_of([9], start=903, more=True), [], 903)
    with pytest.raises(PaginationError, match="6 pages in a row up to offset 905"):
        standstill.check(page_of([10, 11], start=903, more=True), [], 905)


def test_empty_pages_are_the_same_page() -> None:
    standstill = Standstill()
    for at in range(4):
        standstill.check(page_of([], start=at, more=True), [], at)
    with pytest.raises(PaginationError):
        standstill.check(page_of([], start=4, more=True), [], 4)
