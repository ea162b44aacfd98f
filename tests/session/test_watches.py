"""Watches of a session, over a socket."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from yarl import URL

from pipeflow import TransportError
from pipeflow.credentials import Authorization
from pipeflow.flows.source import account_of
from pipeflow.testing import FakePipedrive, Headers
from tests.session.conftest import note, notes, session_at

if TYPE_CHECKING:
    from pipeflow import PipedriveSession
    from pipeflow.watching import Checkpoint, FlowWatch

KINDS = ["person", "deal", "organization"]
SOON = 0.01


def account() -> FakePipedrive:
    histories = {number: notes(20) for number in (1, 2)}
    return FakePipedrive(persons=histories, deals=histories, organizations=histories)


def watch_of(
    pipedrive: PipedriveSession, kind: str, checkpoint: Checkpoint | None = None
) -> FlowWatch:
    watch: FlowWatch = getattr(pipedrive, f"watch_{kind}_flow")(
        1, checkpoint=checkpoint, interval=SOON
    )
    return watch


@pytest.mark.parametrize("kind", KINDS)
async def test_one_of_each_kind_is_watched_and_goes_on_from_its_checkpoint(kind: str) -> None:
    async with account() as fake, session_at(fake) as pipedrive:
        async with watch_of(pipedrive, kind) as watch:
            fake.add(note(100), **{kind: 1})
            event = await anext(watch)
            assert (event.person_id, event.kind, event.update.id) == (1, "new", 100)
        assert [event async for event in watch] == []
        fake.add(note(101), **{kind: 1})
        kept = json.loads(json.dumps(event.checkpoint))
        async with watch_of(pipedrive, kind, kept) as watch:
            assert (await anext(watch)).update.id == 101


@pytest.mark.parametrize("kind", KINDS)
async def test_many_of_each_kind_are_watched(kind: str) -> None:
    async with account() as fake, session_at(fake) as pipedrive:
        watch_many = getattr(pipedrive, f"watch_{kind}_flows")
        async with watch_many([1, 2], interval=SOON) as watch:
            fake.add(note(100), **{kind: 2})
            assert (await anext(watch)).person_id == 2
            kept = watch.checkpoints
        fake.add(note(101), **{kind: 1})
        async with watch_many(checkpoints=kept, interval=SOON) as watch:
            event = await anext(watch)
            assert (event.person_id, event.update.id) == (1, 101)
        assert repr(watch) == "<FlowWatch of 2 closed>"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_checkpoint_of_another_kind_is_refused(kind: str) -> None:
    async with account() as fake, session_at(fake) as pipedrive:
        async with watch_of(pipedrive, kind) as watch:
            kept = watch.checkpoint
        for other in KINDS:
            if other != kind:
                with pytest.raises(ValueError, match=f"another owner: '{kind} 1', not '{other} 1'"):
                    watch_of(pipedrive, other, kept)


async def test_more_news_than_a_small_page_holds_is_told_whole_and_in_order() -> None:
    async with FakePipedrive(persons={1: notes(120)}) as fake, session_at(fake) as pipedrive:
        async with pipedrive.watch_person_flow(1, interval=SOON) as watch:
            for number in range(1001, 1061):
                fake.add(note(number), person=1)
            told = [(await anext(watch)).update.id for _ in range(60)]
        assert told == list(range(1001, 1061))
        first, *others = [int(seen.query["limit"]) for seen in fake.requests[1:]]
        assert first < 60
        assert 500 in others


async def test_closing_the_session_ends_its_watches_with_an_error() -> None:
    async with account() as fake:
        async with session_at(fake) as pipedrive:
            watch = pipedrive.watch_person_flow(1, interval=3600.0)
            await watch.__aenter__()
        with pytest.raises(TransportError, match="PipedriveSession of this watch was closed"):
            await anext(watch)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (format_datetime(datetime(2020, 1, 2, tzinfo=UTC), usegmt=True), "2020-01-01T23:59:00"),
        ("Thu, 02 Jan 2020 00:00:00 -0000", "2020-01-01T23:59:00"),
    ],
)
async def test_moments_are_those_of_the_server(header: str, expected: str) -> None:
    async with account() as fake, session_at(fake) as pipedrive:
        fake.script(Headers({"Date": header}))
        async with pipedrive.watch_person_flow(1, interval=3600.0) as watch:
            assert watch.checkpoint is not None
            assert watch.checkpoint["moment"] == f"{expected}+00:00"


async def test_a_server_that_tells_nonsense_of_the_time_is_not_believed() -> None:
    async with account() as fake, session_at(fake) as pipedrive:
        fake.script(Headers({"Date": "yesterday"}))
        async with pipedrive.watch_person_flow(1, interval=3600.0) as watch:
            assert watch.checkpoint is not None
            moment = datetime.fromisoformat(watch.checkpoint["moment"])
            assert datetime.now(UTC) - moment < timedelta(minutes=5)


def test_an_account_is_a_company_or_a_token_that_nobody_can_read() -> None:
    def account_at(url: str, token: str) -> str:
        return account_of(Authorization(base_url=URL(url), headers={"x-api-token": token}))

    assert account_at("https://acme.pipedrive.com/api/v1", "one") == "acme.pipedrive.com"
    one = account_at("https://api.pipedrive.com/v1", "made-up-token")
    assert one.startswith("token ")
    assert "made-up" not in one
    assert one == account_at("https://api.pipedrive.com/v1", "made-up-token")
    assert one != account_at("https://api.pipedrive.com/v1", "other-token")
