"""How updates look, as a table, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow.cli.formats import TableFormat
from pipeflow.codec import decode_page
from pipeflow.testing import Disconnect, FakePipedrive, Status

if TYPE_CHECKING:
    from pathlib import Path

    from pipeflow.records import FlowUpdate

    from .conftest import Run, Serve

RELATED = {
    "user": {11: {"id": 11, "name": "Ines Okafor"}},
    "deal": {9: {"id": 9, "title": "House blend"}},
    "organization": {5: {"id": 5, "name": "Fjordlight Hotels"}},
}
HOSTILE = "\x1b]0;owned\x07 \x9b31m red \u202eevil\u202c [bold]markup[/bold]\r\nnext\ud83d"


def record(
    kind: str, time: str | None = "2026-03-14 15:09:26", /, **data: object
) -> dict[str, Any]:
    return {"object": kind, "timestamp": time, "data": {"user_id": 11} | data}


CHANGE = record("personChange", id=1, field_key="label", old_value=None, new_value="Customer")
PLANNED = record("activity", id=2, type="call", subject="Ring back", done=False)
NOTE = record("note", id=3, content="<p>Wants <b>two</b> quotes</p>")
HOSTILE_NOTE = record("note", id=4, content=HOSTILE)

Show = Callable[..., str]


@pytest.fixture
def show(run: Run, serve: Serve) -> Show:
    """What `pipeflow flow` prints for a history of these records."""

    def print_flow(form: str, *history: object) -> str:
        fake = serve(FakePipedrive(persons={7: history}, related=RELATED))
        outcome = run("flow", 7, "--all-changes", "--format", form, "--base-url", fake.base_url)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.stdout

    return print_flow


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def updates_of(*history: object) -> tuple[FlowUpdate, ...]:
    body = {"success": True, "data": history, "related_objects": RELATED}
    return decode_page(json.dumps(body).encode()).updates


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Show:
    """What the table shows on a terminal of some width."""

    def print_table(width: int, *history: object) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm-256color")
        table = TableFormat(Terminal())
        return table.head() + table.lines(updates_of(*history))

    return print_table


def without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


# ---- the table


def test_a_row_says_when_who_and_what(show: Show) -> None:
    assert show("table", CHANGE, NOTE).splitlines() == [
        "Time (UTC)        Who               What",
        "2026-03-14 15:09  Ines Okafor       changed label: none → Customer",
        "2026-03-14 15:09  Ines Okafor       wrote a note: Wants two quotes",
    ]


def test_an_empty_history_is_a_table_without_rows(show: Show) -> None:
    assert show("table").splitlines() == ["Time (UTC)        Who               What"]


def test_the_sender_of_a_mail_is_who(show: Show) -> None:
    sender = {"name": "Mira Lindholm", "email_address": "mira@example.com"}
    mail = record("mailMessage", id=1, subject="Hello", **{"from": [sender], "to": []})
    row = show("table", mail).splitlines()[1]
    assert row.endswith("  Mira Lindholm     sent a mail to someone: Hello")


def test_a_mail_without_a_sender_is_told_without_one(show: Show) -> None:
    mail = record("mailMessage", id=1, subject="Hello", **{"from": [], "to": []})
    row = show("table", mail).splitlines()[1]
    assert row.split("  ", 1)[1].strip() == "sent a mail to someone: Hello"


def test_a_user_without_a_name_is_an_id(show: Show) -> None:
    row = show("table", record("note", id=1, user_id=99, content="Hi")).splitlines()[1]
    assert row.endswith("  user 99           wrote a note: Hi")


def test_an_update_without_user_and_time_has_empty_cells(show: Show) -> None:
    row = show("table", record("note", None, user_id=None, content="Hi")).splitlines()[1]
    assert row == " " * 36 + "wrote a note: Hi"


def test_a_change_names_the_deal_that_changed(show: Show) -> None:
    change = record("dealChange", item_id=9, field_key="value", old_value=1, new_value=2)
    assert show("table", change).endswith("changed value: 1 → 2 · House blend\n")


def test_a_sentence_that_names_the_organization_names_it_once(show: Show) -> None:
    follower = record("organizationFollower", org_id=5)
    assert show("table", follower).endswith(
        "started following the organization Fjordlight Hotels\n"
    )


def test_a_call_is_told_with_a_verb_and_its_organization(show: Show) -> None:
    call = record("call", org_id=5, subject="Beans")
    assert show("table", call).endswith("made a call: Beans · Fjordlight Hotels\n")


def test_the_key_of_a_custom_field_is_shortened_in_the_table_only(show: Show) -> None:
    key = "0123456789abcdef0123456789abcdef01234567"
    change = record("personChange", id=1, field_key=key, old_value=1, new_value=2)
    assert show("table", change).endswith("changed custom field 0123456…: 1 → 2\n")
    assert f"changed {key}: 1 → 2" in show("csv", change)


def test_an_entry_that_is_no_object_is_a_row_too(show: Show) -> None:
    assert len(show("table", "nonsense").splitlines()) == 2


def test_on_a_terminal_no_row_is_wider_than_it(on_terminal: Show) -> None:
    long = record("note", id=1, content="word " * 50)
    wide = record("note", id=1, content="漢字" * 50)
    for width in (30, 80, 140):
        rows = without_colour(on_terminal(width, long, wide)).splitlines()
        assert len(rows) == 3
        assert len(rows[1]) == width
        assert rows[1].endswith("…")
        assert rows[2].endswith("…")


def test_on_a_terminal_a_long_name_leaves_room(on_terminal: Show) -> None:
    row = record("note", id=1, user_id=99, content="Hi", user={"name": "Maximiliana " * 4})
    shown = without_colour(on_terminal(80, row)).splitlines()[1]
    assert shown == "2026-03-14 15:09  Maximiliana Max…  wrote a note: Hi"


def test_elsewhere_rows_are_whole(show: Show) -> None:
    names = {"name": "Maximiliana " * 4}
    row = record("note", id=1, user_id=99, content="word " * 19, user=names)
    assert show("table", row).endswith(
        f"  {('Maximiliana ' * 4).strip()}  wrote a note: {('word ' * 19).strip()}\n"
    )


def test_planned_activities_stand_out_on_a_terminal(on_terminal: Show) -> None:
    history, planned = on_terminal(80, CHANGE, PLANNED).splitlines()[1:]
    assert planned.startswith("\x1b[33m2026-03-14 15:09\x1b[0m")
    assert "\x1b[1;33mplanned\x1b[0m call: Ring back" in planned
    assert "\x1b[33m" not in history


def test_no_colour_goes_elsewhere(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in show("table", CHANGE, PLANNED)


def test_no_colour_is_shown_to_who_wants_none(
    on_terminal: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", on_terminal(80, PLANNED))


# ---- what a stranger wrote


def test_a_hostile_note_cannot_steer_the_terminal(on_terminal: Show) -> None:
    ours = r"\x1b\[(0|1|2|33|36|1;33)m"
    printed = re.sub(ours, "", on_terminal(300, HOSTILE_NOTE))
    assert len(printed.splitlines()) == 2
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", printed)
    assert "[bold]markup[/bold]" in printed


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_a_hostile_note_is_one_harmless_line_in_every_format(show: Show, form: str) -> None:
    head = show(form)
    printed = show(form, HOSTILE_NOTE).removeprefix(head)
    assert printed.count("\n") == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", printed)


@pytest.mark.parametrize("form", ["table", "csv"])
def test_a_hostile_name_and_kind_are_harmless_too(show: Show, form: str) -> None:
    user = {"name": "Eve\x1b[2J\u202e\nRoot", "email": "", "icon_url": None, "is_you": False}
    note = record("note", id=1, user_id=99, content="Hi", user=user)
    strange = record("\x1b[31mkind\u202e", id="\x1b[0m")
    printed = show(form, note, strange)
    assert printed.count("\n") == 3
    assert not re.search(r"[\x1b\u202e]", printed)


# ---- JSON lines


def test_a_json_line_is_the_record_as_it_came_and_its_offset(show: Show) -> None:
    lines = [json.loads(line) for line in show("jsonl", CHANGE, PLANNED).splitlines()]
    assert lines == [{"offset": 0, **CHANGE}, {"offset": 1, **PLANNED}]


def test_an_empty_history_is_no_json_line(show: Show) -> None:
    assert show("jsonl") == ""


def test_a_json_line_holds_what_a_stranger_wrote_unchanged(show: Show) -> None:
    assert json.loads(show("jsonl", HOSTILE_NOTE))["data"]["content"] == HOSTILE


def test_a_json_line_shows_letters_as_they_are(show: Show) -> None:
    assert "Väisänen 漢字 😀" in show("jsonl", record("note", content="Väisänen 漢字 😀"))


@pytest.mark.parametrize("entry", [None, "text", 5, [1], {"offset": "its own", "object": "x"}])
def test_an_entry_that_has_no_room_for_the_offset_stands_under_raw(
    show: Show, entry: object
) -> None:
    assert json.loads(show("jsonl", entry)) == {"offset": 0, "raw": entry}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5000])
def test_a_number_beyond_all_bounds_is_null(flow: Run, fake: FakePipedrive, number: str) -> None:
    body = '{"success": true, "data": [{"object": "x", "data": {"id": 1, "n": N}}]}'
    fake.script(Status(200, body.replace("N", number)))
    printed = flow(1101, "--format", "jsonl").stdout
    assert json.loads(printed, parse_constant=pytest.fail)["data"] == {"id": 1, "n": None}


# ---- CSV


def rows_of(printed: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(printed)))


def test_a_csv_record_says_when_who_and_what(show: Show) -> None:
    assert rows_of(show("csv", CHANGE, PLANNED)) == [
        ["offset", "timestamp", "object", "id", "who", "what"],
        [
            "0",
            "2026-03-14T15:09:26Z",
            "personChange",
            "1",
            "Ines Okafor",
            "changed label: none → Customer",
        ],
        ["1", "2026-03-14T15:09:26Z", "activity", "2", "Ines Okafor", "planned call: Ring back"],
    ]


def test_an_empty_history_is_a_csv_header(show: Show) -> None:
    assert show("csv") == "offset,timestamp,object,id,who,what\n"


def test_what_is_not_said_is_an_empty_csv_cell(show: Show) -> None:
    note = record("note", None, user_id=None, content="Hi")
    assert rows_of(show("csv", note))[1] == ["0", "", "note", "", "", "wrote a note: Hi"]


def test_the_id_of_a_comment_is_its_uuid(show: Show) -> None:
    comment = record("comment", uuid="00000000-c0de", content="Done")
    assert rows_of(show("csv", comment))[1][3] == "00000000-c0de"


def test_an_id_of_a_kind_without_a_shape_is_taken_when_it_is_one(show: Show) -> None:
    rows = rows_of(show("csv", record("participant", id=3), record("participant", id=False)))
    assert [row[3] for row in rows] == ["id", "3", ""]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\uff1d"])
def test_a_spreadsheet_runs_no_cell(show: Show, start: str) -> None:
    user = {"name": f"{start}cmd", "email": "", "icon_url": None, "is_you": False}
    note = record("note", id=1, user_id=99, content="Hi", user=user)
    assert rows_of(show("csv", note))[1][4] == f"'{start.strip()}cmd"


# ---- Excel


def test_excel_is_told_the_encoding_and_reads_the_times(flow: Run) -> None:
    printed = flow(1101, "--excel", "--max-items", 5).stdout
    assert printed.startswith("\ufeffoffset,timestamp,")
    for row in rows_of(printed)[1:]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row[1])


# ---- HTML


def test_a_page_shows_the_history_and_its_person(flow: Run) -> None:
    printed = flow(1101, "--format", "html", "--max-items", 40).stdout
    assert printed.startswith("<!DOCTYPE html>")
    assert "<h1>Mira Lindholm</h1>" in printed
    assert printed.rstrip().endswith("</html>")


def test_the_page_of_a_part_of_a_history_is_whole(
    flow: Run, fake: FakePipedrive, no_backoff: None, tmp_path: Path
) -> None:
    path = tmp_path / "flow.html"
    for options, where in ((("--output", path), f": {path}"), ((), "")):
        fake.script(None, Disconnect(), Disconnect())
        outcome = flow(1101, "--format", "html", *options)
        assert outcome.exit_code == 1
        assert outcome.stderr.endswith(f"; the page shows the first 500{where}\n")
        page = outcome.stdout or path.read_text("utf-8")
        assert page.rstrip().endswith("</html>")


def test_without_jinja_one_line_says_what_to_install(
    flow: Run, fake: FakePipedrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    outcome = flow(1101, "--format", "html")
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "Error: --format html needs an extra: pip install 'pipeflow[cli,html]'\n"
    )
    assert fake.request_count == 0
