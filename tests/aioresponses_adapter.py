"""Makes aioresponses 0.7.9 work with aiohttp 3.14.

Two things are missing there: `ClientResponse` wants a `stream_writer` (aioresponses#289), and a
body above 64 KiB is too much for its stream without a transport to pause (aioresponses#292).
"""

from __future__ import annotations

import inspect
from unittest.mock import Mock

import aioresponses
from aiohttp import ClientResponse, StreamReader
from aioresponses import core

__all__ = ["mocked_responses"]


class _WrittenResponse(ClientResponse):
    """A response whose request has been written already."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        if (
            "stream_writer" in inspect.signature(ClientResponse.__init__).parameters
        ):  # pragma: no branch
            kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def _roomy_stream(loop: object = None) -> StreamReader:
    return StreamReader(Mock(_reading_paused=False), limit=2**30, loop=loop)  # type: ignore[arg-type]


class mocked_responses(aioresponses.aioresponses):  # noqa: N801 - named as what it stands for
    """`aioresponses`, on any aiohttp that pipeflow allows."""

    def start(self) -> None:
        super().start()
        core.ClientResponse = _WrittenResponse  # type: ignore[attr-defined]
        core.stream_reader_factory = _roomy_stream  # type: ignore[attr-defined]

    def stop(self) -> None:
        core.ClientResponse = ClientResponse  # type: ignore[attr-defined]
        super().stop()
