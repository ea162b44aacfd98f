"""Text from a CRM, made safe to print.

Anyone who can send a mail to a person can write into that person's history. Their text must not
move the cursor, rename the window, hide a line or reverse the reading order.
"""

from __future__ import annotations

import json
import re

__all__ = ["one_json_line", "printable"]

_CONTROLS = "\\x00-\\x1f\\x7f-\\x9f\ud800-\udfff\ufffe\uffff"
"""Control characters (U+009B begins an escape sequence as ESC does) and halves of a character."""

_INVISIBLE = (
    "\u00ad\u180e\u200b\u2060-\u2064\ufeff"  # soft hyphen, zero-width characters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # marks and overrides of the direction
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # annotations, tags
)
"""The two joiners U+200C and U+200D are not among them: Persian and emoji are written with them."""

_CONTROL = re.compile(f"[{_CONTROLS}]")
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_ESCAPED_IN_JSON = re.compile(f"[{_CONTROLS}{_INVISIBLE}\u2028\u2029]")


def printable(text: str) -> str:
    """The text on one line, without anything that a terminal obeys.

    White space of any length is one space. Characters that only steer, such as the overrides of
    the reading order, are left out; control characters and lone surrogates become U+FFFD.
    """
    return _CONTROL.sub("\ufffd", " ".join(_UNSEEN.sub("", text).split()))


def one_json_line(value: object) -> str:
    r"""A JSON value on one line, whole, with a `\u` escape for what a terminal obeys.

    That includes lone surrogates, so the line is always legal UTF-8. A number too great for a
    float, which JSON has no word for once it was read, becomes null.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
        text = json.dumps(finite, ensure_ascii=False)
    return _ESCAPED_IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], text)
