"""The persons that were changed since a moment, over a socket."""

from __future__ import annotations

import json
from contextlib import aclosing
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pipeflow import DecodeError, PaginationError, PermissionDeniedError, PipedriveSession
from pipeflow.testing import Clock, FakePipedrive, InvalidJson, Status
from tests.session.conftest import note, session_at

if TYPE_CHECKING:
    from tests.conftest import Wrong

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def account(count: int) -> FakePipedrive:
    return FakePipedrive(
        persons={person: [] for person in range(1, count + 1)},
        clock=Clock(NOON - timedelta(days=1), speed=0),
    )


async def changed(pipedrive: PipedriveSession, since: datetime = NOON) -> list[int]:
    return [person async for person in pipedrive.iter_changed_persons(since)]


async def test_those_changed_since_then_come_in_the_order_of_their_changes() -> None:
    async with account(9) as fake, session_at(fake) as pipedrive:
        assert await changed(pipedrive) == []
        fake.clock.advance(86_400)
        for person in (7, 3, 5):
            fake.add(note(person), person=person)
            fake.clock.advance(1)
        assert await changed(pipedrive) == [7, 3, 5]
        assert await changed(pipedrive, NOON + timedelta(seconds=1)) == [3, 5]
        assert fake.tokens_spent == 3 * 10
        query = dict(fake.requests[-1].query)
        assert query == {
            "updated_since": "2026-11-26T12:00:01Z",
            "sort_by": "update_time",
            "sort_direction": "asc",
            "limit": "500",
        }


async def test_a_list_of_many_costs_10_tokens_for_each_500() -> None:
    async with account(1100) as fake, session_at(fake) as pipedrive:
        since = NOON - timedelta(days=9000)
        assert sorted(await changed(pipedrive, since)) == list(range(1, 1101))
        assert fake.request_count == 3
        assert fake.tokens_spent == 30


async def test_one_that_changes_again_meanwhile_comes_once() -> None:
    async with account(501) as fake, session_at(fake) as pipedrive:
        found: list[int] = []
        async with aclosing(pipedrive.iter_changed_persons(NOON - timedelta(days=9000))) as walk:
            async for person in walk:
                if not found:
                    fake.clock.advance(60)
                    fake.add(note(1), person=person)
                found.append(person)
        assert sorted(found) == list(range(1, 502))


async def test_the_moment_is_sent_in_utc_to_the_second_before() -> None:
    moment = datetime(2026, 11, 26, 9, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=-3)))
    async with account(1) as fake, session_at(fake) as pipedrive:
        await changed(pipedrive, moment)
        assert fake.requests[0].query["updated_since"] == "2026-11-26T12:00:00Z"


async def test_the_histories_of_those_changed_can_be_walked_at_once() -> None:
    async with account(9) as fake, session_at(fake) as pipedrive:
        fake.clock.advance(86_400)
        for person in (7, 3):
            record = note(person) | {"timestamp": "2026-11-26 12:00:00"}
            fake.add(record, person=person)
        walk = pipedrive.iter_person_flows(pipedrive.iter_changed_persons(NOON), since=NOON)
        assert {(person, update.id) async for person, update in walk} == {(7, 7), (3, 3)}


@pytest.mark.parametrize(
    ("since", "error"),
    [(datetime(2026, 5, 4), ValueError), ("2026-05-04", TypeError)],  # noqa: DTZ001
)
def test_a_moment_that_is_none_is_refused_at_the_call(since: Wrong, error: type[Exception]) -> None:
    with pytest.raises(error, match="since must"):
        PipedriveSession("made-up-token").iter_changed_persons(since)


async def test_a_refusal_is_an_error_of_its_kind() -> None:
    async with account(1) as fake, session_at(fake) as pipedrive:
        fake.script(Status(403))
        with pytest.raises(PermissionDeniedError):
            await changed(pipedrive)


async def test_a_list_that_does_not_advance_ends() -> None:
    page = {"success": True, "data": [{"id": 1}], "additional_data": {"next_cursor": "same"}}
    async with account(1) as fake, session_at(fake) as pipedrive:
        fake.on_request = lambda request: InvalidJson(json.dumps(page).encode())
        with pytest.raises(PaginationError, match="does not advance"):
            await changed(pipedrive)
        assert fake.request_count == 2


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"data": [{"id": 1}, {"id": True}, {"id": "2"}, {}, 3, {"id": 4}]}, [1, 4]),
        ({"data": None}, []),
        ({"data": [], "additional_data": []}, []),
        ({"data": [], "additional_data": {"next_cursor": ""}}, []),
        ({"data": [], "additional_data": {"next_cursor": 5}}, []),
        ({}, []),
    ],
)
async def test_odd_entries_are_passed_over(
    document: dict[str, object], expected: list[int]
) -> None:
    async with account(1) as fake, session_at(fake) as pipedrive:
        fake.script(InvalidJson(json.dumps({"success": True} | document).encode()))
        assert await changed(pipedrive) == expected


async def test_what_is_not_a_list_is_a_decode_error() -> None:
    async with account(1) as fake, session_at(fake) as pipedrive:
        fake.script(InvalidJson(b'{"success": true, "data": {"id": 1}}'))
        with pytest.raises(DecodeError, match="not a list"):
            await changed(pipedrive)
