from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.watching.simulation import History, JumpingLoop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[JumpingLoop]:
    loop = JumpingLoop()
    yield loop
    loop.close()


@pytest.fixture
def history(loop: JumpingLoop) -> History:
    """A history of 20 notes and two planned activities, that nothing has happened to for a day."""
    history = History(loop)
    for _ in range(20):
        history.add_note()
    for _ in range(2):
        history.add_activity()
    loop.now += 86_400.0
    return history
