"""The soak test with one seed, and the judge it relies on."""

from __future__ import annotations

import runpy
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeflow.testing import FakePipedrive
from tests.session.conftest import note, session_at
from tests.soak import walks as soaked
from tests.soak.engine import soak
from tests.soak.trouble import TROUBLE
from tests.soak.walks import Figures, SoakWalk

SEED = 7


async def test_60_walks_under_every_fault_lose_nothing() -> None:
    figures = await soak(SEED, 60)
    print(f"seed {SEED}", figures)
    assert figures.wrong == []
    assert figures.walks == 60
    assert figures.faults.keys() == {*TROUBLE, "inserted", "removed", "moved"}
    assert figures.resumes == figures.errors.total() > 20


def test_it_is_a_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["soak", "--seed", "5", "--walks", "3"])
    # In a thread: Python 3.11 stops tracing a frame above asyncio.run, and coverage its lines.
    with ThreadPoolExecutor() as thread:
        left = thread.submit(runpy.run_module, "tests.soak", run_name="__main__").exception()
    assert isinstance(left, SystemExit)
    assert left.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("seed 5\n3 walks, 0 walks wrong, ")


# ---- the judge


def a_walk(size: int) -> SoakWalk:
    walk = SoakWalk(SEED, 1, Figures())
    walk.size = size
    return walk


def test_a_walk_that_read_everything_is_right() -> None:
    walk = a_walk(4)
    walk.read = [0, 10_003, 1, 2, 3]
    assert walk.what_is_wrong(ended=True) == []


@pytest.mark.parametrize(
    ("read", "complaint"),
    [
        ([0, 1, 3], "lost [2]"),
        ([0, 1, 1, 2, 3], "repeated [1]"),
        ([0, 2, 1, 3], "out of order: [0, 2, 1, 3]"),
    ],
)
def test_a_broken_promise_is_noticed(read: list[int], complaint: str) -> None:
    walk = a_walk(4)
    walk.read = read
    [line] = walk.what_is_wrong(ended=True)
    assert line.endswith(complaint)


async def test_a_walk_that_never_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soaked, "MOST_RESUMES", 2)
    figures = Figures()
    walk = SoakWalk(SEED, 1, figures)
    async with FakePipedrive(persons={2: [note(1)]}) as fake, session_at(fake) as pipedrive:
        await walk.run(pipedrive)
    assert figures.errors == {"NotFoundError": 3}
    assert [line for line in figures.wrong if "broke more than 2 times" in line]
