"""Text and markup from a CRM as one short, plain line."""

from __future__ import annotations

import re

__all__ = ["plain_line", "shorten"]

_LONGEST_TEXT = 100
_TAG = re.compile(r"<[^<>]*>")


def shorten(text: str, longest: int = _LONGEST_TEXT) -> str:
    """`text` on one line, without control characters, cut with `…` after `longest` characters."""
    line = "".join(char if char.isprintable() else " " for char in text[: longest * 4])
    line = " ".join(line.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def plain_line(markup: str) -> str:
    """What HTML says, shortened; notes and comments are written in it."""
    import html  # noqa: PLC0415 - its table of entities is large, and most programs need none

    return shorten(html.unescape(_TAG.sub(" ", markup[: _LONGEST_TEXT * 20])))
