"""HTML as plain text, with its line breaks."""

from __future__ import annotations

import html
import re

__all__ = ["LONGEST_TEXT", "text_of"]

LONGEST_TEXT = 20_000
"""Characters of one text on the page; whoever pastes a book into a note sees its beginning."""

_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6]|/blockquote|/pre)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_LINES = re.compile(r"\s*\n\s*")
_SPACES = re.compile(r"[^\S\n]+")


def text_of(markup: str) -> str:
    """What a reader would see of some HTML: its lines, without its tags.

    Whatever it is, it is text: only a page that took it for HTML could run it.
    """
    lines = _TAG.sub("", _BREAK.sub("\n", markup[: LONGEST_TEXT * 4]))
    text = _LINES.sub("\n", _SPACES.sub(" ", html.unescape(lines))).strip()
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT].rstrip()}…"
