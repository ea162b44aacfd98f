"""Updates as text. A format is one class here; `FORMATS` is the list of them.

Each turns a page into text at a time, so that a history of any length takes no more memory than a
page of it.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from rich.console import Console
from rich.text import Text

from pipeflow.cli.failures import WrongUsage
from pipeflow.cli.printable import one_json_line
from pipeflow.cli.rows import row_of
from pipeflow.timeline import render

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from pipeflow.cli.rows import Row
    from pipeflow.records import FlowUpdate

__all__ = [
    "FORMATS",
    "CsvFormat",
    "ExcelFormat",
    "Format",
    "HtmlFormat",
    "JsonLinesFormat",
    "TableFormat",
]

_TIME_WIDTH = len("2026-03-14 15:09")


class Format(Protocol):
    """How updates look. It is made for the stream that its text will go to.

    Attributes:
        encoding: Of a stdout that it is written to; None is the terminal's own.
    """

    encoding: str | None

    is_by_line: bool
    """Whether what is written of a part of a history can be gone on with."""

    def __init__(self, stream: TextIO) -> None: ...

    def head(self) -> str:
        """What stands before the first update."""
        ...

    def lines(self, updates: Iterable[FlowUpdate]) -> str:
        """The updates, a line for each or nothing yet."""
        ...

    def tail(self) -> str:
        """What stands after the last update."""
        ...


class TableFormat:
    """For the eye: one row an update, as wide as the terminal, in its colours.

    Where there is no terminal, rows are plain and whole, so that `grep` finds everything.
    """

    encoding: str | None = None
    is_by_line = True

    def __init__(self, stream: TextIO) -> None:
        self._is_terminal = stream.isatty()
        self._printed = io.StringIO()
        self._console = Console(
            file=self._printed, force_terminal=self._is_terminal, highlight=False
        )

    def head(self) -> str:
        """The names of the columns."""
        names = (Text(name, "bold") for name in ("Time (UTC)", "Who", "What"))
        return self._text([self._line(*names)])

    def lines(self, updates: Iterable[FlowUpdate]) -> str:
        """A row for each update; planned activities stand out."""
        return self._text(self._row(row_of(update, brief=True)) for update in updates)

    def tail(self) -> str:
        """Nothing."""
        return ""

    def _row(self, row: Row) -> Text:
        time = Text(f"{row.time:%Y-%m-%d %H:%M}" if row.time else "", "dim")
        what = Text(row.what)
        if row.is_planned:
            time.style = "yellow"
            what.stylize("bold yellow", 0, len("planned"))
        return self._line(time, Text(row.who, "cyan"), what)

    def _line(self, time: Text, who: Text, what: Text) -> Text:
        who_width = max(12, min(24, self._console.width // 5))
        for cell, width in ((time, _TIME_WIDTH), (who, who_width)):
            if self._is_terminal:
                cell.truncate(width, overflow="ellipsis")
            cell.pad_right(max(0, width - cell.cell_len))
        return Text("  ").join([time, who, what])

    def _text(self, lines: Iterable[Text]) -> str:
        for line in lines:
            if self._is_terminal:
                self._console.print(line, no_wrap=True, overflow="ellipsis")
            else:
                self._console.print(line, soft_wrap=True)
        text = self._printed.getvalue()
        self._printed.seek(0)
        self._printed.truncate()
        return text


class JsonLinesFormat:
    """For programs: one JSON object a line, the record as it came and its offset."""

    encoding: str | None = "utf-8"
    is_by_line = True

    def __init__(self, stream: TextIO) -> None:
        pass

    def head(self) -> str:
        """Nothing: a line is an update."""
        return ""

    def lines(self, updates: Iterable[FlowUpdate]) -> str:
        """An object for each update."""
        return "".join(f"{one_json_line(_with_offset(update))}\n" for update in updates)

    def tail(self) -> str:
        """Nothing."""
        return ""


class CsvFormat:
    """For spreadsheets: who did what, and the ids to look the rest up by."""

    encoding: str | None = "utf-8"
    is_by_line = True
    _time_format = "%Y-%m-%dT%H:%M:%SZ"

    def __init__(self, stream: TextIO) -> None:
        pass

    def head(self) -> str:
        """The names of the columns."""
        return _csv_line("offset", "timestamp", "object", "id", "who", "what")

    def lines(self, updates: Iterable[FlowUpdate]) -> str:
        """A record for each update."""
        return "".join(map(self._line, updates))

    def tail(self) -> str:
        """Nothing."""
        return ""

    def _line(self, update: FlowUpdate) -> str:
        row = row_of(update, brief=False)
        time = row.time.strftime(self._time_format) if row.time else ""
        texts = (_not_a_formula(text) for text in (row.kind, row.id, row.who, row.what))
        return _csv_line(str(update.offset), time, *texts)


class ExcelFormat(CsvFormat):
    """CSV that Excel opens as it should: it takes it for UTF-8, and its times for times."""

    _time_format = "%Y-%m-%d %H:%M:%S"

    def head(self) -> str:
        """A byte order mark, without which Excel reads another encoding, and the columns."""
        return f"\ufeff{super().head()}"


class HtmlFormat:
    """For people: one page that shows the history as a picture. It holds all updates in memory."""

    encoding: str | None = "utf-8"
    is_by_line = False

    def __init__(self, stream: TextIO) -> None:  # noqa: ARG002 - as all formats
        try:
            import jinja2  # noqa: F401, PLC0415 - an extra, to be missed before the first request
        except ModuleNotFoundError as error:
            raise WrongUsage(
                "--format html needs an extra: pip install 'pipeflow[cli,html]'"
            ) from error
        self._updates: list[FlowUpdate] = []

    def head(self) -> str:
        """Nothing yet."""
        return ""

    def lines(self, updates: Iterable[FlowUpdate]) -> str:
        """Nothing yet."""
        self._updates.extend(updates)
        return ""

    def tail(self) -> str:
        """The page."""
        return render(self._updates)


FORMATS: Final[dict[str, type[Format]]] = {
    "table": TableFormat,
    "jsonl": JsonLinesFormat,
    "csv": CsvFormat,
    "html": HtmlFormat,
}


def _with_offset(update: FlowUpdate) -> dict[str, Any]:
    raw = update.raw
    if isinstance(raw, dict) and "offset" not in raw:
        return {"offset": update.offset, **raw}
    return {"offset": update.offset, "raw": raw}


def _csv_line(*cells: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


_FORMULA_START = re.compile(r"[=+\-@\uff1d\uff0b\uff0d\uff20]")


def _not_a_formula(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run.

    Source: OWASP, "CSV Injection". Tabs and line breaks, which it names too, are not in the text.
    """
    return f"'{text}" if _FORMULA_START.match(text) else text
