from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Wrong: TypeAlias = Any
"""An argument that is not right, given on purpose."""


@pytest.fixture
def unused_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Ctrl-C ends what the tests start, also where the suite itself was told to ignore it.

    A shell script starts what it leaves in the background with SIGINT ignored, and whoever is
    started with an ignored signal hands that on: a test would wait for ever for its program to end.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
