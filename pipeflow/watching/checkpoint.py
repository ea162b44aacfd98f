"""Checkpoints: a place as a small JSON value, bound to the history that it is a place in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import asdict, frozen

from pipeflow.watching.place import IDENTITY_LENGTH, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VERSION", "Binding", "Checkpoint"]

VERSION = 1
"""Grows whenever another list of fields, or another layout, makes older checkpoints unreadable."""

Checkpoint: TypeAlias = dict[str, Any]
"""A JSON-ready value: keep it as it is, in a file, a database, Redis."""

_PARTS = ("undone", "missing", "past", "recent")


@frozen
class Binding:
    """Which history, asked in which way, a checkpoint belongs to.

    Attributes:
        account: The company's Pipedrive account; None as long as it is not known.
        owner: Whose history, such as `person 1101`.
        items: The value of the `items` filter; None for all kinds.
        all_changes: Whether changes of custom fields are among them.
    """

    account: str | None
    owner: str
    items: str | None
    all_changes: bool

    def checkpoint(self, place: Place) -> Checkpoint:
        """The JSON-ready value for a place in this history."""
        return {
            "version": VERSION,
            **asdict(self),
            "moment": place.moment.astimezone(UTC).isoformat(timespec="seconds"),
            "whole": place.whole,
            **{
                part: [identity + state for identity, state in getattr(place, part).items()]
                for part in _PARTS
            },
        }

    def place(self, checkpoint: Mapping[str, Any]) -> Place:
        """The place that a checkpoint tells.

        Raises:
            ValueError: It is not a checkpoint, or one of another version, account, owner or
                filter; the message says which.
        """
        if not hasattr(checkpoint, "keys") or "version" not in checkpoint:
            raise ValueError("this is not a checkpoint of a watch: it has no version")
        if checkpoint["version"] != VERSION:
            raise ValueError(
                f"the checkpoint is of version {checkpoint['version']!r}, and this release of "
                f"pipeflow reads version {VERSION}; begin without it"
            )
        for name, mine in asdict(self).items():
            theirs = checkpoint.get(name)
            if theirs != mine and not (name == "account" and mine is None):
                raise ValueError(
                    f"the checkpoint is of another {_WORDS[name]}: {theirs!r}, not {mine!r}"
                )
        try:
            return Place(
                moment=datetime.fromisoformat(checkpoint["moment"]).astimezone(UTC),
                whole=bool(checkpoint["whole"]),
                **{part: _entries(checkpoint[part]) for part in _PARTS},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"the checkpoint is damaged: {error!r}") from error


_WORDS = {
    "account": "account (or of another API token)",
    "owner": "owner",
    "items": "filter `items`",
    "all_changes": "filter `all_changes`",
}


def _entries(texts: list[str]) -> dict[str, str]:
    return {text[:IDENTITY_LENGTH]: text[IDENTITY_LENGTH:] for text in texts}
