"""The page as text: whole in itself, and nothing that strangers wrote can run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeflow.timeline import render

from .histories import change, note, planned

HOSTILE = "</script><script>alert(1)</script><!-- \u2028 \ud83d ]]> <img src=x onerror=alert(2)>"


def element(page: str, opening: str, closing: str) -> str:
    [found] = re.findall(f"{re.escape(opening)}(.*?){re.escape(closing)}", page, re.DOTALL)
    return str(found)


def data_of(page: str) -> dict[str, Any]:
    data = element(page, '<script type="application/json" id="updates">', "</script>")
    read: dict[str, Any] = json.loads(data)
    return read


def test_the_policy_allows_the_one_script_and_the_one_style_only() -> None:
    page = render([note("Tea")])
    policy = element(page, 'http-equiv="Content-Security-Policy" content="', '"')
    policy = policy.replace("&#39;", "'")

    def allowed(text: str) -> str:
        return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; script-src '{allowed(element(page, '<script>', '</script>'))}'; "
        f"style-src '{allowed(element(page, '<style>', '</style>'))}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_names_no_address() -> None:
    page = render([note("Tea")])
    assert set(re.findall(r"\w+://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}


def test_the_script_makes_no_markup_of_texts() -> None:
    script = element(render([]), "<script>", "</script>")
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert way not in script


def test_a_title_is_text_and_by_default_the_person() -> None:
    assert "<h1>Mira Lindholm</h1>" in render([note("Tea")])
    assert "<h1>History</h1>" in render([])
    assert "<h1>&lt;i&gt;</h1>" in render([note("Tea")], title="<i>")


def test_what_strangers_wrote_stays_in_its_element() -> None:
    page = render([note(HOSTILE, user_id=99), planned(HOSTILE)], title=HOSTILE)
    assert page.count("<script") == 2
    assert page.count("<img") == 0
    assert "alert(1)" in data_of(page)["rows"][1][3]
    page.encode()  # no half of a character


@given(st.text())
def test_the_data_is_what_was_written(text: str) -> None:
    page = render([planned("x")], title=text)
    assert data_of(page)["who"] == ["Ines Okafor"]
    assert page.count("</script>") == 2


@pytest.mark.parametrize("names", [None, {"9dd7f1a9b7b5c6a1f6b2c3d4e5f60718293a4b5c": "Tier"}])
def test_names_are_used(names: dict[str, str] | None) -> None:
    page = render([change("9dd7f1a9b7b5c6a1f6b2c3d4e5f60718293a4b5c", 1, 2)], names)
    named = "Tier" if names else "custom field 9dd7f1a…"
    assert data_of(page)["rows"][0][3] == f"changed {named}: 1 → 2"
