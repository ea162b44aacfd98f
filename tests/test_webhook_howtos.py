"""The bots of docs/webhooks.md, word for word, told by the fake of what happens."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web

from pipeflow import addresses
from pipeflow.testing import FakePipedrive
from tests.session.conftest import note, notes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from typing import TypeAlias

    from pipeflow.watching import FlowEvent

    Serving: TypeAlias = Callable[[dict[str, Any]], AbstractAsyncContextManager[str]]

PAGE = Path(__file__).parents[1] / "docs" / "webhooks.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
USER, PASSWORD = "hook", "made-up"


def howto(framework: str) -> str:
    [block] = [
        block
        for block in BLOCK.findall(PAGE.read_text("utf-8"))
        if block.startswith(f'"""Webhooks into a watch, served by {framework}.')
    ]
    return str(block)


def begun(framework: str) -> dict[str, Any]:
    """The names of the module that a how-to is."""
    bot: dict[str, Any] = {"__name__": "bot"}
    exec(howto(framework), bot)
    return bot


@asynccontextmanager
async def served_by_aiohttp(bot: dict[str, Any]) -> AsyncIterator[str]:
    runner = web.AppRunner(bot["make_app"]())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/pipedrive"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def served_by_fastapi(bot: dict[str, Any]) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(bot["app"], port=0, ws="none", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/pipedrive"
    finally:
        server.should_exit = True
        await serving


FRAMEWORKS = [
    pytest.param("aiohttp.web", served_by_aiohttp, id="aiohttp"),
    pytest.param("FastAPI", served_by_fastapi, id="fastapi"),
]


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakePipedrive]:
    async with FakePipedrive(persons={1101: notes(30), 1102: notes(30), 9: []}) as fake:
        monkeypatch.setenv("PIPEDRIVE_API_TOKEN", fake.api_token)
        monkeypatch.delenv("PIPEDRIVE_COMPANY_DOMAIN", raising=False)
        monkeypatch.setenv("WEBHOOK_USER", USER)
        monkeypatch.setenv("WEBHOOK_PASSWORD", PASSWORD)
        monkeypatch.setattr(addresses, "DEFAULT_BASE_URL", fake.base_url)
        yield fake


@pytest.mark.parametrize("framework", ["aiohttp.web", "FastAPI"])
def test_it_is_short(framework: str) -> None:
    assert len(howto(framework).splitlines()) < 60


@pytest.mark.parametrize(("framework", "serving"), FRAMEWORKS)
async def test_it_reacts_within_two_seconds_and_costs_nearly_nothing(
    fake: FakePipedrive, framework: str, serving: Serving
) -> None:
    events: asyncio.Queue[FlowEvent] = asyncio.Queue()
    bot = begun(framework)
    bot["handle"] = events.put
    async with serving(bot) as url:
        webhook = fake.send_webhooks(url, user=USER, password=PASSWORD)
        assert fake.request_count == 2  # the places of two persons
        for number in (101, 102, 103):
            fake.add(note(number), person=1102)
        fake.add(note(1), person=9)  # whom nobody watches
        async with asyncio.timeout(2.0):
            found = [await events.get() for _ in range(3)]
        assert {event.update.id for event in found} == {101, 102, 103}
        assert {(event.person_id, event.kind) for event in found} == {(1102, "new")}
        assert fake.request_count == 3
        assert {attempt.status for attempt in webhook.attempts} == {204}


@pytest.mark.parametrize(("framework", "serving"), FRAMEWORKS)
async def test_strangers_and_nonsense_are_sent_away(
    fake: FakePipedrive, framework: str, serving: Serving
) -> None:
    bot = begun(framework)
    async with serving(bot) as url, aiohttp.ClientSession() as client:
        async with client.post(url, json={"meta": {}}) as answer:
            assert answer.status == 401
        known = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
        async with client.post(url, data=b"nonsense", headers=known) as answer:
            assert answer.status == 400
        assert fake.request_count == 2
