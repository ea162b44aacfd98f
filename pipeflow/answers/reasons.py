"""Why an answer says no, in any of the known forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Reason"]

LONGEST_REASON = 500
"""Characters. Longer is not a reason but a page, and an error message is no place for it."""

_MOST_REASONS = 3
"""How many of a list of errors to keep; the rest seldom says more."""

_DEEPEST = 5
"""Levels of `error: {errors: [{…}]}`; deeper is hostile."""

_WORDS = ("message", "detail", "title", "error", "error_info", "description")
"""Where an error that is an object says what it means, the plainest first."""

_RECORD = r"\b(person|deal|organi[sz]ation|item|record)\b"
_GONE = r"not found|not exist|deleted|no such|could not find|gone"
_ADDRESS = r"unknown (method|path|url|route|resource)|no route|cannot get|endpoint"


@frozen
class Reason:
    """What an answer's JSON gives as its reasons. Every part of it can be missing.

    The forms: Pipedrive's own (`error`, `error_info`, `errorCode`), those of its gateways and of
    v2 (`message`, `code`, `error: {…}`, `errors: […]`), and problem details (RFC 9457: `title`,
    `detail`).

    Attributes:
        error: The reason in short.
        error_info: More about it.
        error_code: The number that goes with it.
    """

    error: str | None = None
    error_info: str | None = None
    error_code: int | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Reason:
        """The reason that a JSON object gives."""
        said = [_text(document.get(name)) for name in ("error", "message", "title", "errors")]
        more = [_text(document.get(name)) for name in ("error_info", "detail", "message", "errors")]
        code = _code(document)
        error = next(filter(None, [*said, *more, code if isinstance(code, str) else None]), None)
        return cls(
            error=error,
            error_info=next((text for text in more if text and text != error), None),
            error_code=code if type(code) is int else None,
        )

    def names_daily_budget(self) -> bool:
        """Whether it is about the daily budget."""
        return "daily" in f"{self.error} {self.error_info}".lower()

    def names_record(self) -> bool:
        """Whether it says that a person, a deal or an organization is not there."""
        words = f"{self.error} {self.error_info}".lower()
        return bool(re.search(_RECORD, words) and re.search(_GONE, words))

    def names_address(self) -> bool:
        """Whether it says that the address itself is unknown."""
        return bool(re.search(_ADDRESS, f"{self.error}".lower()))


def _text(value: object) -> str | None:
    """A reason as the server gave it, cut where it stops being one."""
    texts = list(dict.fromkeys(_texts(value, _DEEPEST)))[:_MOST_REASONS]
    return "; ".join(texts)[:LONGEST_REASON] or None


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value.strip()[:LONGEST_REASON]
    elif isinstance(value, list) and depth:
        for each in value[:_MOST_REASONS]:
            yield from _texts(each, depth - 1)
    elif isinstance(value, dict) and depth:
        named = [value[name] for name in _WORDS if name in value]
        for each in named[:1] or list(value.values())[:_MOST_REASONS]:
            yield from _texts(each, depth - 1)


def _code(document: Mapping[str, Any]) -> int | str | None:
    inner = document.get("error")
    candidates = [document.get("errorCode"), document.get("error_code"), document.get("code")]
    if isinstance(inner, dict):
        candidates += [inner.get("errorCode"), inner.get("error_code"), inner.get("code")]
    for candidate in candidates:
        if type(candidate) is int or (isinstance(candidate, str) and candidate):
            return candidate[:LONGEST_REASON] if isinstance(candidate, str) else candidate
    return None
