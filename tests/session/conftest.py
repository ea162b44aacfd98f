"""Made-up histories, and sessions that do not wait long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeflow import Note, PipedriveSession, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterable
    from typing import Unpack

    from pipeflow import FlowUpdate
    from pipeflow.session import SessionOptions
    from pipeflow.testing import FakePipedrive

QUICK = RetryPolicy(attempts=3, base_delay=0.0)


def note(number: int) -> dict[str, object]:
    return {
        "object": "note",
        "timestamp": "2026-01-02 03:04:05",
        "data": {"id": number, "content": f"note {number}"},
    }


def notes(count: int) -> list[dict[str, object]]:
    return [note(number) for number in range(count)]


def session_at(fake: FakePipedrive, **options: Unpack[SessionOptions]) -> PipedriveSession:
    options.setdefault("base_url", fake.base_url)
    options.setdefault("retry", QUICK)
    return PipedriveSession(fake.api_token, **options)


def note_id(update: FlowUpdate) -> int | None:
    assert isinstance(update.data, Note)
    return update.data.id


async def note_ids(updates: AsyncIterable[FlowUpdate]) -> list[int | None]:
    return [note_id(update) async for update in updates]
