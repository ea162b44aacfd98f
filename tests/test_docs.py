"""The documentation names everything that is public, and its links lead somewhere."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

import pipeflow
import pipeflow.limiting
import pipeflow.middleware
import pipeflow.observing
import pipeflow.redis
import pipeflow.testing
from pipeflow import PipedriveSession

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`[^`\n]+`")


def public_names() -> Iterator[str]:
    yield from pipeflow.__all__
    yield from pipeflow.limiting.__all__
    yield from pipeflow.middleware.__all__
    yield from pipeflow.observing.__all__
    yield from pipeflow.redis.__all__
    yield from pipeflow.testing.__all__
    yield from list(inspect.signature(PipedriveSession).parameters)
    for name in dir(PipedriveSession):
        if not name.startswith("_"):
            yield name
            method = getattr(PipedriveSession, name)
            if "_flow" in name:
                yield from list(inspect.signature(method).parameters)[1:]


@pytest.fixture(scope="module")
def words() -> set[str]:
    """What is written as code: a name that is a common word as well does not count by accident."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    code = [*FENCED.findall(text), *INLINE.findall(FENCED.sub("", text))]
    return set(re.findall(r"\w+", "\n".join(code)))


@pytest.mark.parametrize("name", sorted(set(public_names())))
def test_every_public_name_is_documented(name: str, words: set[str]) -> None:
    assert name in words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(FENCED.sub("", page.read_text("utf-8")))
    dead = []
    for link in links:
        path = unquote(link).partition("#")[0]
        if not re.match(r"[a-z]+:", path) and not (page.parent / path).exists():
            dead.append(link)  # pragma: no cover - as long as there is none
    assert dead == []
