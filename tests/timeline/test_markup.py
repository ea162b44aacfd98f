from __future__ import annotations

import pytest

from pipeflow.timeline.markup import LONGEST_TEXT, text_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>Likes <b>tea</b>&nbsp;&amp; cake</p><p>Twice</p>", "Likes tea & cake\nTwice"),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<ul><li>a</li>\n\n<li>b</li></ul>", "a\nb"),
        ("a < b &lt;script&gt;", "a < b <script>"),
    ],
)
def test_markup_is_read_as_text_with_its_lines(markup: str, text: str) -> None:
    assert text_of(markup) == text


def test_a_text_of_any_length_ends() -> None:
    assert len(text_of("word " * 100_000)) == LONGEST_TEXT
    assert len(text_of("<" * 1_000_000)) <= LONGEST_TEXT + 1
