"""The bot that is killed: it keeps each event and its checkpoint in one line of a file.

A line that the kill has cut is not there. So what a line says was handled, once.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeflow import PipedriveSession, RetryPolicy
from pipeflow.watching.place import sightings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.watching import Checkpoint, FlowWatch


def kept_in(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a bot's file."""
    if not file.exists():
        return []
    *lines, _ = file.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines]


async def watch(url: str, token: str, file: Path, *, persons: int, interval: float) -> None:
    """Watches from the last checkpoints in the file, until it is killed."""
    kept = kept_in(file)
    checkpoints: dict[int, Checkpoint] = {}
    for line in kept:
        if "began" in line:
            checkpoints |= {int(person): place for person, place in line["began"].items()}
        else:
            checkpoints[line["person"]] = line["checkpoint"]
    watched = range(1, persons + 1)
    whole = sum(len(json.dumps(line)) + 1 for line in kept)
    async with (
        PipedriveSession(token, base_url=url, retry=RetryPolicy(base_delay=0.01)) as pipedrive,
        pipedrive.watch_person_flows(
            watched,
            checkpoints=checkpoints,
            interval=interval,
            deep_interval=3 * interval,
        ) as events,
    ):
        with file.open("ab") as out:
            out.truncate(whole)

            def keep(line: dict[str, Any]) -> None:
                out.write(json.dumps(line).encode() + b"\n")
                out.flush()

            placing = asyncio.create_task(
                _keep_first_places(events, keep, missing=set(watched) - checkpoints.keys())
            )
            async for event in events:
                [seen] = sightings([event.update], {})
                keep(
                    {
                        "person": event.person_id,
                        "kind": event.kind,
                        "record": seen.identity,
                        "state": seen.state,
                        "what": f"{event.update.object} {event.update.id}",
                        "checkpoint": event.checkpoint,
                    }
                )
            await placing


async def _keep_first_places(
    events: FlowWatch, keep: Callable[[dict[str, Any]], None], *, missing: set[int]
) -> None:
    """Keeps where each person's watch has begun; a first poll that failed is made again later."""
    while missing:
        places = events.checkpoints
        began = {person: places[person] for person in missing & places.keys()}
        missing -= began.keys()
        if began:
            keep({"began": began})
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    url, token, file, persons, interval = sys.argv[1:]
    asyncio.run(watch(url, token, Path(file), persons=int(persons), interval=float(interval)))
