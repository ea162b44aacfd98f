"""pytest's fixture `fake_pipedrive`.

It stands beside the package and imports it only when a test asks for the fixture, so that it costs
a test run without pipeflow nothing, and coverage sees every import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeflow.testing import FakePipedrive


@pytest.fixture
def fake_pipedrive() -> Iterator[FakePipedrive]:
    """A fake Pipedrive on a thread of its own, for tests with and without async."""
    from pipeflow.testing import FakePipedrive  # noqa: PLC0415 - only when it is asked for

    with FakePipedrive() as fake:
        yield fake
