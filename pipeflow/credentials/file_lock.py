"""A lock between processes, on a file."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX systems
    import msvcrt

    def _try_to_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_to_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


__all__ = ["locked"]

_LOOK_AGAIN = 0.05
"""Seconds, on average. The wait is the length of another's refresh, some tenths of a second."""


@asynccontextmanager
async def locked(path: Path) -> AsyncGenerator[None, None]:
    """Holds the lock on a file, which is made if it is missing and never removed.

    Waiting is looking again from time to time, so that it can be cancelled at any moment and
    blocks no thread. Closing the file frees the lock, and so does the end of the process.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _try_to_lock(handle):  # noqa: ASYNC110 - other processes set no Event
            await asyncio.sleep(_LOOK_AGAIN * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        yield
    finally:
        os.close(handle)
