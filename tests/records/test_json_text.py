from __future__ import annotations

from pipeflow.records.json_text import KeptPage, read_json


def test_what_msgspec_refuses_is_read_all_the_same() -> None:
    assert read_json(b'"\\ud83d"') == "\ud83d"
    assert read_json(b"1e999") == float("inf")
    assert read_json(b"9" * 5000) == float("inf")
    assert read_json(b'["\\ud83d", 5]') == ["\ud83d", 5]


def test_a_page_is_cut_into_its_entries_when_one_is_asked_for() -> None:
    page = KeptPage(b'{"data": [ {"a": 1} , 7]}')
    assert page.entry(1) == b"7"
    assert page.entry(0) == b'{"a": 1}'
