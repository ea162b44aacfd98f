"""The page: one file that needs no network and runs nothing that strangers wrote.

What they wrote travels as JSON in an element that no browser executes, and the script puts it into
text nodes only. The policy in the page's head names the one script and the one style by their
hashes, and allows nothing else: no other script, no handler, no image, no request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import attrs

from pipeflow.records.sentences import ShortKeys
from pipeflow.timeline.entries import FAMILIES, entry_of
from pipeflow.timeline.stages import stages_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jinja2 import Template

    from pipeflow.records import FlowUpdate
    from pipeflow.records.sentences import UpdateNames
    from pipeflow.timeline.entries import Entry

__all__ = ["render"]

_MARKUP = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character, which no file can hold."""


def render(
    updates: Iterable[FlowUpdate],
    names: UpdateNames | Mapping[str, str] | None = None,
    *,
    title: str | None = None,
) -> str:
    """A history as a page of HTML, whole in itself.

    The page shows times in its reader's time zone. It holds all that it shows, so it is as private
    as the history.

    Args:
        updates: The updates, in any order.
        names: Names for what the updates have as keys and ids; a plain mapping names fields.
        title: The heading of the page. Without one, it is the name of the person whom most of the
            updates are about.

    Raises:
        ModuleNotFoundError: Jinja2 is not installed: `pip install 'pipeflow[html]'`.
    """
    template = _template()
    updates = list(updates)
    names = ShortKeys() if names is None else names
    entries = [entry_of(update, names) for update in updates]
    deals = [attrs.asdict(deal) for deal in stages_of(updates, names)]
    style, script = _file("page.css"), _file("page.js")
    return template.render(
        title=_HALF.sub("\ufffd", _person(updates) if title is None else title),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_json_in_html(_packed(entries) | {"deals": deals}),
        symbols=list(FAMILIES),
    )


def _person(updates: list[FlowUpdate]) -> str:
    names = Counter(update.person.name for update in updates if update.person is not None)
    del names[None]
    return next((name for name, _ in names.most_common(1) if name), "History")


def _packed(entries: list[Entry]) -> dict[str, Any]:
    """The entries as rows of numbers and texts; what repeats is named by its place in a list."""
    families = list(FAMILIES)
    who: dict[str, int] = {}
    about: dict[str, int] = {}
    rows = [
        (
            entry.time,
            families.index(entry.family),
            who.setdefault(entry.who, len(who)),
            entry.what,
            about.setdefault(entry.about, len(about)),
            entry.text,
            int(entry.is_planned),
        )
        for entry in entries
    ]
    named = list(FAMILIES.items())
    return {"families": named, "who": list(who), "about": list(about), "rows": rows}


def _json_in_html(value: object) -> str:
    r"""JSON that no browser takes for the end of its element: `\u003c` for `<`, and so on."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _file(name: str) -> str:
    return resources.files("pipeflow.timeline").joinpath(name).read_text("utf-8")


@cache
def _template() -> Template:
    import jinja2  # noqa: PLC0415 - an extra

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_file("page.html.jinja"))
