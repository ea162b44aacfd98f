"""The log of `pipeflow` on stderr, for `--verbose`."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeflow.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["log_on_stderr"]


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # A server's words are in it.
        return printable(super().format(record))


@contextmanager
def log_on_stderr(*, verbose: bool) -> Generator[None, None, None]:
    """Shows what the session does while the block lasts: each attempt, retry and wait."""
    if not verbose:
        yield
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("pipeflow")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
