"""JSON that is cut from its page and read when asked for."""

from __future__ import annotations

import copy
import pickle

import pytest

from pipeflow.records.json_text import JsonText, PageText, read_json, read_strict_json


def test_what_msgspec_refuses_is_read_all_the_same() -> None:
    assert read_json(b'"\\ud83d"') == "\ud83d"
    assert read_json(b"1e999") == float("inf")
    assert read_json(b"9" * 5000) == float("inf")
    assert read_json(b'["\\ud83d", 5]') == ["\ud83d", 5]


def test_what_json_cannot_write_again_is_none() -> None:
    text = b'["\\ud83d", 5, -5, 1.5, 1e999, -1e999, %s, -%s]' % (b"9" * 5000, b"9" * 5000)
    assert read_strict_json(text) == ["\ud83d", 5, -5, 1.5, None, None, None, None]
    assert read_strict_json(b'{"a": 1}') == {"a": 1}


def test_a_page_is_cut_into_its_entries_when_one_is_asked_for() -> None:
    page = PageText(b'{"data": [ {"a": 1} , 7]}')
    assert page.entry(1) == b"7"
    assert page.entry(0) == b'{"a": 1}'


def test_a_text_leaves_its_page_when_asked_for() -> None:
    page = PageText(b'{"data": [{"a": 1}, 7]}')
    text = JsonText(page, 1)
    sources = [text.source]
    assert (text.text, text.value) == (b"7", 7)
    sources.append(text.source)
    assert sources == [page, b"7"]


def test_a_value_is_read_once() -> None:
    text = JsonText(b'{"a": 1}')
    assert text.value is text.value


def test_texts_are_equal_when_their_values_are() -> None:
    assert JsonText(b'{"a": 1}') == JsonText(b'{"a":1}')
    assert JsonText(b'{"a": 1}') != JsonText(b'{"a": 2}')
    assert JsonText(b"1") != 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(JsonText(b"1"))


def test_a_pickled_text_is_without_its_page() -> None:
    text = JsonText(PageText(b'{"data": [{"a": 1}, "%s"]}' % (b"x" * 9000)))
    pickled = pickle.dumps(text)
    assert len(pickled) < 500
    assert pickle.loads(pickled) == copy.deepcopy(text) == copy.copy(text) == text


def test_the_repr_shows_no_content() -> None:
    assert repr(JsonText(b'"secret"')) == "JsonText(8 bytes)"
