from __future__ import annotations

import socket
from typing import Any, TypeAlias

import pytest

Wrong: TypeAlias = Any
"""An argument that is not right, given on purpose."""


@pytest.fixture
def unused_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
