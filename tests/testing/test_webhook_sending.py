"""Webhooks as Pipedrive sends them: what they say, and what happens when nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from pipeflow.testing import Clock, FakePipedrive, Webhook, generate_history
from pipeflow.webhooks import is_authorized, owners_of

from .asking import note, record, walk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Literal

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
VERSIONS = pytest.mark.parametrize("version", ["1.0", "2.0"])


class Listener:
    """A bot's side: takes webhooks on a loopback port, and answers what it is told to."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.status = 200
        self.silent = False
        self.url = ""

    async def take(self, request: web.BaseRequest) -> web.Response:
        self.bodies.append(await request.json())
        self.headers.append(request.headers)
        if self.silent:
            await asyncio.Event().wait()
        return web.Response(status=self.status)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    runner = web.ServerRunner(
        web.Server(listener.take, handler_cancellation=True), shutdown_timeout=0.1
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield listener
    await runner.cleanup()


@contextlib.asynccontextmanager
async def telling() -> AsyncIterator[FakePipedrive]:
    activity = record("activity", id=5, done=False, person_id=7, participants=[{"person_id": 7}])
    histories = {7: [activity, note(1, person_id=7)], 8: []}
    async with FakePipedrive(persons=histories, deals={3: []}, clock=Clock(NOON, speed=0)) as fake:
        yield fake


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


HAPPENINGS: dict[str, tuple[Callable[[FakePipedrive], None], set[tuple[str, int]], int]] = {
    "a note": (lambda fake: fake.add(note(9, person_id=7), person=7), {("person", 7)}, 2),
    "a note of two": (
        lambda fake: fake.add(note(9, person_id=7, deal_id=3), person=7, deal=3),
        {("person", 7), ("deal", 3)},
        3,
    ),
    "an edit": (lambda fake: fake.edit("note", 1, {"content": "x"}, person=7), {("person", 7)}, 2),
    "done": (lambda fake: fake.mark_done(5, person=7), {("person", 7)}, 2),
    "a move": (
        lambda fake: fake.move("activity", 5, person=7, to=8),
        {("person", 7), ("person", 8)},
        3,
    ),
    "a removal": (lambda fake: fake.remove(("note", 1), person=7), {("person", 7)}, 2),
    "a changed field": (
        lambda fake: fake.add(
            record("personChange", id=9, item_id=7, field_key="name", old_value="A", new_value="B"),
            person=7,
        ),
        {("person", 7)},
        1,
    ),
    "a new person": (lambda fake: fake.create(person=9), {("person", 9)}, 1),
    "a deletion": (lambda fake: fake.delete(person=8), {("person", 8)}, 1),
}


@VERSIONS
@pytest.mark.parametrize("what", HAPPENINGS)
async def test_what_happens_is_told_to_all_it_concerns(
    listener: Listener, version: Literal["1.0", "2.0"], what: str
) -> None:
    happen, owners, count = HAPPENINGS[what]
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, version=version)
        happen(fake)
        await until(lambda: len(webhook.attempts) == count)
        assert {owner for body in listener.bodies for owner in owners_of(body)} == owners
        assert all(attempt.delivered for attempt in webhook.attempts)
        assert [attempt.body for attempt in webhook.attempts] == listener.bodies


@pytest.mark.parametrize(("version", "count"), [("1.0", 1), ("2.0", 2)])
async def test_a_merge_is_told_of_both(
    listener: Listener, version: Literal["1.0", "2.0"], count: int
) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, version=version)
        fake.merge(person=7, into=8)
        await until(lambda: len(webhook.attempts) == count)
    for body in listener.bodies:
        assert owners_of(body) == {("person", 7), ("person", 8)}


SILENT: dict[str, Callable[[FakePipedrive], None]] = {
    "mail": lambda fake: fake.add(record("mailMessage", id=9), person=7),
    "a file": lambda fake: fake.add(record("file", id=9), person=7),
    "odd": lambda fake: fake.add([1], person=7),
    "no id": lambda fake: fake.add(record("note"), person=7),
    "a uuid": lambda fake: fake.add(record("note", uuid="1a2b"), person=7),
    "inserted": lambda fake: fake.insert(note(9), person=7),
}


@pytest.mark.parametrize("what", SILENT)
async def test_some_things_are_told_to_nobody(listener: Listener, what: str) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
        SILENT[what](fake)
        fake.delete(deal=3)
        await until(lambda: bool(webhook.attempts))
    assert [owners_of(body) for body in listener.bodies] == [{("deal", 3)}]


async def test_a_webhook_of_v2_has_its_form(listener: Listener) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
        fake.move("activity", 5, person=7, to=8)
        await until(lambda: len(webhook.attempts) == 3)
    [body] = [body for body in listener.bodies if body["meta"]["entity"] == "activity"]
    assert body["meta"]["action"] == "change"
    assert body["meta"]["entity_id"] == "5"
    assert body["meta"]["version"] == "2.0"
    assert body["meta"]["timestamp"] == "2026-11-26T12:00:00.000000Z"
    assert body["data"]["person_id"] == 8
    assert body["data"]["participants"] == [{"person_id": 8, "primary": False}]
    assert body["previous"] == {
        "person_id": 7,
        "participants": [{"person_id": 7, "primary": False}],
    }


async def test_a_webhook_of_v1_has_its_form(listener: Listener) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, version="1.0")
        fake.mark_done(5, person=7)
        await until(lambda: len(webhook.attempts) == 2)
    [body] = [body for body in listener.bodies if body["meta"]["object"] == "activity"]
    assert (body["event"], body["meta"]["action"], body["meta"]["id"]) == (
        "updated.activity",
        "updated",
        5,
    )
    assert body["current"]["person_id"] == {"value": 7, "name": None}
    assert (body["previous"]["done"], body["current"]["done"]) == (False, True)


@VERSIONS
async def test_what_is_new_has_no_previous_and_what_is_gone_nothing_else(
    listener: Listener, version: Literal["1.0", "2.0"]
) -> None:
    now = "data" if version == "2.0" else "current"
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, version=version)
        fake.add(note(9), person=8)
        await until(lambda: len(webhook.attempts) == 2)
        fake.remove(("note", 9), person=8)
        await until(lambda: len(webhook.attempts) == 4)
    added, removed = (
        body
        for body in listener.bodies
        if "note" in (body["meta"].get("entity"), body["meta"].get("object"))
    )
    assert (added["previous"], removed[now]) == (None, None)
    assert added[now]["id"] == removed["previous"]["id"] == 9


async def test_it_can_be_authenticated(listener: Listener) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, user="hook", password="s3cret")
        fake.delete(person=8)
        await until(lambda: bool(webhook.attempts))
    [headers] = listener.headers
    assert is_authorized(headers["Authorization"], user="hook", password="s3cret")


async def test_everything_can_come_twice(listener: Listener) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, twice=True)
        fake.delete(person=8)
        await until(lambda: len(webhook.attempts) == 2)
    assert listener.bodies[0] == listener.bodies[1]


async def test_a_webhook_can_come_before_the_flow_shows_it(listener: Listener) -> None:
    async with telling() as fake:
        fake.lag = 5
        webhook = fake.send_webhooks(listener.url)
        fake.add(note(9), person=8)
        await until(lambda: len(webhook.attempts) == 2)
        fake.clock.advance(4)
        assert fake.records(person=8) == []
        fake.clock.advance(1)
        assert await walk(fake, "/persons/8/flow") == [note(9)]


async def advance(fake: FakePipedrive, webhook: Webhook, seconds: float) -> None:
    """Moves the clock once the webhook waits for its next try, and waits for that."""
    tried = len(webhook.attempts)
    await until(lambda: fake.clock.sleepers == 1)
    fake.clock.advance(seconds)
    await until(lambda: len(webhook.attempts) == tried + 1)


@VERSIONS
async def test_what_is_not_taken_is_sent_again_after_3_and_30_and_150_seconds(
    listener: Listener, version: Literal["1.0", "2.0"]
) -> None:
    listener.status = 500
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, version=version)
        fake.delete(person=8)
        await until(lambda: len(webhook.attempts) == 1)
        for seconds in (3, 30, 150):
            await advance(fake, webhook, seconds)
        await until(lambda: not webhook._tasks)
        assert not fake.clock.sleepers
    assert [attempt.status for attempt in webhook.attempts] == [500] * 4
    waited = [(attempt.at - NOON).total_seconds() for attempt in webhook.attempts]
    assert waited == [0, 3, 33, 183]
    tries = [
        body["meta"]["attempt"] if version == "2.0" else body["retry"] + 1
        for body in listener.bodies
    ]
    assert tries == [1, 2, 3, 4]


async def test_what_is_taken_at_last_is_not_sent_again(listener: Listener) -> None:
    listener.status = 503
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
        fake.delete(person=8)
        await until(lambda: len(webhook.attempts) == 1)
        listener.status = 204
        await advance(fake, webhook, 3)
        await until(lambda: not webhook._tasks)
    assert [attempt.delivered for attempt in webhook.attempts] == [False, True]


async def test_an_answer_that_does_not_come_in_time_is_none(listener: Listener) -> None:
    listener.silent = True
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url, answer_within=0.05)
        fake.delete(person=8)
        await until(lambda: bool(webhook.attempts))
    assert webhook.attempts[0].status is None


async def test_nobody_at_the_address_is_a_failed_try(unused_port: int) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(f"http://localhost:{unused_port}/")
        fake.delete(person=8)
        await until(lambda: bool(webhook.attempts))
    assert webhook.attempts[0].status is None


def change(number: int) -> dict[str, Any]:
    """Something that is told by one webhook."""
    return record("personChange", id=number, item_id=8, field_key="name")


async def test_ten_failed_first_tries_ban_it_for_half_an_hour(listener: Listener) -> None:
    listener.status = 500
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
        for number in range(10):
            assert not webhook.is_banned
            fake.add(change(number), person=8)
            await until(lambda number=number: len(webhook.attempts) > number)  # type: ignore[misc]
        assert webhook.is_banned
        fake.delete(person=7)
        await until(lambda: bool(webhook.lost))
        assert len(webhook.attempts) == 10
        assert owners_of(webhook.lost[0]) == {("person", 7)}
        fake.clock.advance(timedelta(minutes=30).total_seconds())
        assert not webhook.is_banned


async def test_a_try_that_succeeds_begins_the_count_anew(listener: Listener) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
        for number in range(12):
            listener.status = 200 if number == 6 else 500
            fake.add(change(number), person=8)
            await until(lambda number=number: len(webhook.attempts) == number + 1)  # type: ignore[misc]
        assert not webhook.is_banned


@pytest.mark.parametrize("url", ["http://example.com/", "http://10.0.0.1/", "nowhere"])
async def test_it_is_sent_to_a_loopback_address_only(url: str) -> None:
    async with telling() as fake:
        with pytest.raises(ValueError, match="loopback"):
            fake.send_webhooks(url)


def test_it_is_set_up_only_while_the_fake_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        FakePipedrive().send_webhooks("http://127.0.0.1:1/")


async def test_one_that_had_nothing_to_tell_ends_too(listener: Listener) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
    assert (webhook.attempts, listener.bodies) == ([], [])


async def test_what_is_told_while_it_ends_is_not_sent(listener: Listener) -> None:
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
        fake.delete(person=8)
    await asyncio.sleep(0)
    assert (webhook.attempts, webhook._tasks, webhook._client) == ([], set(), None)


async def test_it_ends_with_the_fake(listener: Listener) -> None:
    listener.status = 500
    async with telling() as fake:
        webhook = fake.send_webhooks(listener.url)
        fake.delete(person=8)
        await until(lambda: bool(webhook.attempts))
    fake.delete(person=7)
    assert not webhook._tasks
    assert len(webhook.attempts) == 1


@VERSIONS
async def test_whatever_goes_on_is_told_as_webhooks(
    listener: Listener, version: Literal["1.0", "2.0"]
) -> None:
    persons = {number: generate_history(person_id=number, size=20) for number in (7, 8)}
    async with FakePipedrive(persons=persons, clock=Clock(NOON, speed=0)) as fake:
        webhook = fake.send_webhooks(listener.url, version=version)
        life = fake.live(rate=0, seed=4)
        for _ in range(60):
            life.step()
        fake.delete(person=8)
        await until(lambda: not webhook._tasks and len(webhook.attempts) > 60)
    assert all(owners_of(body) for body in listener.bodies)
