"""Walks from a moment on, over a socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow import PipeflowError
from pipeflow.testing import FakePipedrive, Status
from tests.session.conftest import session_at

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def history(planned: int = 5, past: int = 3000) -> list[Mapping[str, Any]]:
    """Activities that are overdue for a year, then a note for each day before now."""
    overdue = [
        {
            "object": "activity",
            "timestamp": wire(NOW - 365 * DAY),
            "data": {"id": number, "done": False, "add_time": wire(NOW - 370 * DAY)},
        }
        for number in range(planned)
    ]
    notes = [
        {"object": "note", "timestamp": wire(NOW - number * DAY), "data": {"id": number}}
        for number in range(past)
    ]
    return [*overdue, *notes]


async def test_a_walk_since_a_moment_ends_early() -> None:
    async with FakePipedrive(persons={1: history()}) as fake, session_at(fake) as pipedrive:
        walk = pipedrive.iter_person_flow(1, since=NOW - 10 * DAY)
        assert [update.id async for update in walk] == list(range(11))
        assert fake.request_count == 1


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_the_planned_ones_may_fill_pages(prefetch: int) -> None:
    async with FakePipedrive(persons={1: history(250)}) as fake, session_at(fake) as pipedrive:
        walk = pipedrive.iter_person_flow(1, since=NOW - 10 * DAY, page_size=100, prefetch=prefetch)
        assert [update.id async for update in walk] == list(range(11))
        # 250 planned ones, 11 that belong to it and 100 older ones: pages overlap by one.
        assert 4 <= fake.request_count <= 4 + prefetch


async def test_only_what_belongs_to_it_counts_for_max_items() -> None:
    async with FakePipedrive(persons={1: history()}) as fake, session_at(fake) as pipedrive:
        walk = pipedrive.iter_person_flow(1, since=NOW - 10 * DAY, max_items=3)
        assert [update.id async for update in walk] == [0, 1, 2]
        assert fake.request_count == 1


async def test_a_broken_walk_since_a_moment_goes_on_from_resume_start() -> None:
    since = NOW - 150 * DAY
    async with FakePipedrive(persons={1: history()}) as fake, session_at(fake) as pipedrive:
        fake.on_request = lambda request: Status(404) if request.query["start"] != "0" else None
        found = []
        with pytest.raises(PipeflowError) as caught:
            async for update in pipedrive.iter_person_flow(1, since=since, page_size=100):
                found.append(update.id)
        assert caught.value.resume_start == 100
        fake.on_request = lambda request: None
        rest = pipedrive.iter_person_flow(1, since=since, start=caught.value.resume_start)
        found += [update.id async for update in rest]
        assert found == list(range(151))


async def test_pages_since_a_moment_hold_what_belongs_to_it() -> None:
    async with FakePipedrive(persons={1: history()}) as fake, session_at(fake) as pipedrive:
        walk = pipedrive.iter_person_flow_pages(1, since=NOW - 10 * DAY)
        [page] = [page async for page in walk]
        assert (page.start, len(page.updates), page.next_start) == (5, 11, 500)


async def test_many_walks_since_a_moment_end_early_each() -> None:
    persons = {1: history(), 2: history(0), 3: history(0, past=1)}
    async with FakePipedrive(persons=persons) as fake, session_at(fake) as pipedrive:
        found: dict[int, int] = {}
        async for person, _ in pipedrive.iter_person_flows([1, 2, 3], since=NOW - 10 * DAY):
            found[person] = found.get(person, 0) + 1
        assert found == {1: 11, 2: 11, 3: 1}
        assert fake.request_count == 3


async def test_deals_and_organizations_have_it_too() -> None:
    async with (
        FakePipedrive(deals={1: history()}, organizations={1: history()}) as fake,
        session_at(fake) as pipedrive,
    ):
        for walk in (
            pipedrive.iter_deal_flow(1, since=NOW - DAY),
            pipedrive.iter_organization_flow(1, since=NOW - DAY),
        ):
            assert [update.id async for update in walk] == [0, 1]
        assert fake.request_count == 2
