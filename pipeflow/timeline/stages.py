"""The way of each deal through its stages, from the changes in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pipeflow.records import FieldChange
from pipeflow.records.sentences import changed_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeflow.records import FlowUpdate
    from pipeflow.records.sentences import UpdateNames

__all__ = ["DealStages", "Step", "stages_of"]

_CLOSED = frozenset({"won", "lost", "deleted"})


@attrs.frozen
class Step:
    """A stage that a deal was in.

    Attributes:
        stage: Its name, or its id.
        since: Seconds since 1970; None for the first one, which it was in before the history says.
    """

    stage: str
    since: int | None


@attrs.frozen
class DealStages:
    """The stages of a deal, oldest first.

    Attributes:
        title: The deal's title, or `Deal 7`.
        steps: The stages.
        outcome: `won`, `lost`, `deleted`; empty while it is open, as far as the history says.
        closed: When it was closed, in seconds since 1970; None while it is open.
    """

    title: str
    steps: tuple[Step, ...]
    outcome: str
    closed: int | None


def stages_of(
    updates: Iterable[FlowUpdate], names: UpdateNames | Mapping[str, str] | None
) -> tuple[DealStages, ...]:
    """The deals whose stage or status changed, the one changed last first."""
    changes: dict[int, list[tuple[int, FlowUpdate, FieldChange]]] = {}
    for update in updates:
        data = update.data
        if (
            isinstance(data, FieldChange)
            and update.object == "dealChange"
            and data.field_key in {"stage_id", "status"}
            and data.item_id is not None
            and update.timestamp is not None
        ):
            time = int(update.timestamp.timestamp())
            changes.setdefault(data.item_id, []).append((time, update, data))
    for of_deal in changes.values():
        of_deal.sort(key=lambda change: change[0])
    deals = sorted(changes.items(), key=lambda deal: deal[1][-1][0], reverse=True)
    ways = (_way(number, of_deal, names) for number, of_deal in deals)
    return tuple(way for way in ways if way.steps)


def _way(
    number: int,
    changes: list[tuple[int, FlowUpdate, FieldChange]],
    names: UpdateNames | Mapping[str, str] | None,
) -> DealStages:
    steps: list[Step] = []
    outcome = ""
    closed: int | None = None
    title = f"Deal {number}"
    for time, update, change in changes:
        if update.deal is not None and update.deal.title:
            title = update.deal.title
        if change.field_key == "status":
            outcome = str(change.new_value) if change.new_value in _CLOSED else ""
            closed = time if outcome else None
            continue
        texts = changed_field(update, names)
        if not steps and change.old_value is not None:
            steps.append(Step(texts.old, None))
        steps.append(Step(texts.new, time))
    return DealStages(title, tuple(steps), outcome, closed)
