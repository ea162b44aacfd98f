"""Runs the Python blocks of README.md and docs/, word for word, against a fake Pipedrive."""

from __future__ import annotations

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
    with FakePipedrive() as fake:
        yield fake


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
    setup=lambda names: names.update(__name__="documentation"),  # aiohttp's AppKey asks for it
).pytest()
