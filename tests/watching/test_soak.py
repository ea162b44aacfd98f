"""The soak of a watch with one seed, small, and what it would notice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.watching.soak.bot import kept_in
from tests.watching.soak.engine import soak

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(120)
async def test_killed_twice_under_faults_it_loses_and_repeats_nothing() -> None:
    figures = await soak(persons=10, kills=2, seconds=4.0, rate=12.0, interval=0.3, seed=7)
    assert figures.wrong == []
    assert figures.kills == 2
    assert figures.deeds > 20
    assert figures.events > 10
    assert figures.faults == figures.requests // 3


def test_a_line_that_was_cut_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    assert kept_in(file) == []
    file.write_text(json.dumps({"began": {}}) + "\n" + '{"person": 5, "rec')
    assert kept_in(file) == [{"began": {}}]
