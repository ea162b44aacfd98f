"""What a terminal obeys never reaches it."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeflow.cli.printable import one_json_line, printable

any_text = st.text(st.characters(exclude_categories=()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
    max_leaves=10,
)
JOINERS = {"\u200c", "\u200d"}


def is_harmless(char: str) -> bool:
    bidirectional = unicodedata.bidirectional(char)
    return (
        unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        and bidirectional not in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        and char not in {"\u200e", "\u200f", "\u061c"}
    )


@given(any_text)
def test_printable_text_is_one_harmless_line(text: str) -> None:
    shown = printable(text)
    assert all(map(is_harmless, shown))
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mira Väisänen 漢字 😀", "Mira Väisänen 漢字 😀"),
        ("two\r\n\tlines\u2028and more", "two lines and more"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x9b31mred", "\ufffd31mred"),
        ("a\u202eb\u2066c\u200bd\ufeffe", "abcde"),
        ("half \ud83d", "half \ufffd"),
        ("\U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",) * 2,
        ("[bold]no markup[/bold]", "[bold]no markup[/bold]"),
    ],
)
def test_only_what_steers_is_taken_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(json_values)
def test_a_json_line_is_one_harmless_line_and_loses_nothing(value: object) -> None:
    line = one_json_line(value)
    assert json.loads(line, parse_constant=pytest.fail) == _finite(value)
    assert all(map(is_harmless, line))
    assert len(line.splitlines()) == 1
    line.encode("utf-8")


def _finite(value: object) -> object:
    return json.loads(json.dumps(value), parse_constant=lambda _: None)
