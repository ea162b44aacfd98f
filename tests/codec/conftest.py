from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeflow.codec import decode_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records import FlowPage
    from pipeflow.records.json_text import Json

    Answer = Callable[[str], bytes]
    PageOf = Callable[..., FlowPage]
    Decoded = Callable[[str], FlowPage]

ANSWERS = Path(__file__).parents[1] / "answers"


@pytest.fixture
def answer() -> Callable[[str], bytes]:
    """The body of one of the answers in `tests/answers`."""
    return lambda name: (ANSWERS / f"{name}.json").read_bytes()


@pytest.fixture
def decoded(answer: Callable[[str], bytes]) -> Callable[[str], FlowPage]:
    """The page that such an answer holds."""
    return lambda name: decode_page(answer(name))


@pytest.fixture
def page_of() -> Callable[..., FlowPage]:
    """The page that holds these entries."""

    def decode(*entries: Json) -> FlowPage:
        return decode_page(json.dumps({"success": True, "data": entries}).encode())

    return decode
