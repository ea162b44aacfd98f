"""Runs the Python blocks of README.md and docs/, word for word, against a fake Pipedrive."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from pipeflow import addresses
from pipeflow.testing import FakePipedrive

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def pipedrive_in_a_thread() -> Iterator[FakePipedrive]:
    """A fake Pipedrive with a loop of its own, so that blocks may call `asyncio.run`."""
    started: threading.Event = threading.Event()
    running: list[tuple[FakePipedrive, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        async with FakePipedrive() as fake:
            running.append((fake, asyncio.get_running_loop(), stop))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    fake, loop, stop = running[0]
    yield fake
    loop.call_soon_threadsafe(stop.set)
    thread.join()


@pytest.fixture
def documented_environment(
    pipedrive_in_a_thread: FakePipedrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the documentation presumes: a token in the environment, and a Pipedrive."""
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", pipedrive_in_a_thread.api_token)
    monkeypatch.delenv("PIPEDRIVE_COMPANY_DOMAIN", raising=False)
    monkeypatch.setattr(addresses, "DEFAULT_BASE_URL", pipedrive_in_a_thread.base_url)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    fixtures=["documented_environment"],
).pytest()
