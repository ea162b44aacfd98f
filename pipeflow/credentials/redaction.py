"""Takes secrets out of everything that leaves: texts, answers and errors.

Servers and proxies can echo a header in a reason. aiohttp's errors can hold the request with its
headers, and the frames of a traceback the bytes that were sent.

A secret is found as it is, percent-encoded, escaped as JSON, and within base64 (as in a `Basic`
header). Within a text it counts from eight characters on, up to fifteen only as a whole word: a
token such as `"token"` would turn every message to asterisks. A header's or an attribute's whole
value is hidden whatever its length.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from attrs import evolve
from multidict import CIMultiDict

from pipeflow.errors import PipeflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from pipeflow.answers import Answer

__all__ = ["HIDDEN", "Redaction", "hiding_secrets"]

HIDDEN = "***"
"""What stands in a secret's place."""

_SHORTEST_IN_TEXT = 8
"""Characters. Shorter words are too common to be told from a secret."""

_SHORTEST_ANYWHERE = 16
"""Characters from which a secret is found within longer words, too."""

_WORD_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
"""No letter stands before it, unless that is the end of an escape."""

_IN_URLS = {"+": "-", "/": "_"}
"""base64's alphabet for URLs, where it differs."""

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


class Redaction:
    """Takes secrets out of texts, answers and errors.

    Args:
        secrets: The secrets; empty ones are ignored.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {str(secret) for secret in secrets if secret}
        self._whole = found | {f"Bearer {secret}" for secret in found}
        in_text = [secret for secret in found if len(secret) >= _SHORTEST_IN_TEXT]
        self._plain = [re.compile(_pattern(secret)) for secret in in_text]
        cores = [core for secret in in_text for core in _base64_cores(secret)]
        self._base64 = [re.compile(_spelled(core)) for core in cores]

    def text(self, text: str) -> str:
        """The text with `***` in the place of each secret."""
        if text in self._whole:
            return HIDDEN
        parts = []
        at = 0
        for begin, end in self._places(text):
            if begin >= at:
                parts += [text[at:begin], HIDDEN]
            at = max(at, end)
        return "".join([*parts, text[at:]]) if at else text

    def answer(self, answer: Answer) -> Answer:
        """The same answer, should the server have echoed a secret in its headers or body."""
        headers = CIMultiDict((name, self.text(value)) for name, value in answer.headers.items())
        body = self.text(answer.body.decode("latin-1")).encode("latin-1")
        return evolve(answer, headers=headers, body=body)

    def error(self, error: PipeflowError) -> None:
        """Removes the secrets from an error and from all that it was raised from.

        What it was raised from loses its tracebacks, and goes altogether where it shows a secret.
        """
        error.args = tuple(self._value(arg) for arg in error.args)
        for name, value in vars(error).items():
            setattr(error, name, self._value(value))
        cause = error.__cause__
        error.__context__ = None
        if cause is None:
            return
        for each in _chain(cause):
            each.__traceback__ = None
        if not all(self._is_harmless(each) for each in _chain(cause)):
            error.__cause__ = None

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return type(value)(self._value(each) for each in value)
        return value

    def _is_harmless(self, error: BaseException) -> bool:
        if hasattr(error, "request_info"):
            return False
        shown = repr([str(error), error.args, vars(error)])
        return self.text(shown) == shown

    def _places(self, text: str) -> list[tuple[int, int]]:
        places = [place for pattern in self._plain for place in _occurrences(pattern, text)]
        for pattern in self._base64:
            places += _runs(pattern, text)
        return sorted(places)


def _pattern(secret: str) -> str:
    spelled = _spelled(secret)
    if len(secret) >= _SHORTEST_ANYWHERE:
        return spelled
    return f"{_WORD_BEGINS}{spelled}(?![A-Za-z0-9])"


def _spelled(secret: str) -> str:
    """A pattern of a secret, however its punctuation is escaped, up to three times over."""
    return "".join(char if char.isalnum() else _punctuation(char) for char in secret)


def _punctuation(char: str) -> str:
    code = f"{ord(char):02x}"
    ways = [rf"\\{{0,7}}{re.escape(char)}", rf"(?i:%(?:25){{0,3}}{code}|\\{{1,7}}u00{code})"]
    if char in _IN_URLS:
        ways.append(_IN_URLS[char])
    return f"(?:{'|'.join(ways)})"


def _base64_cores(secret: str) -> Iterator[str]:
    """What base64 of a longer text shows of a secret in it, wherever in that text it begins."""
    for before in range(3):
        encoded = b64encode(b"\0" * before + secret.encode()).decode()
        incomplete = 1 if encoded.endswith("=") else 0
        core = encoded.rstrip("=")[(0, 2, 3)[before] :]
        yield core[: len(core) - incomplete]


def _occurrences(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Where a pattern is found, overlapping ones, too."""
    found = pattern.search(text)
    while found:
        yield found.span()
        found = pattern.search(text, found.start() + 1)


def _runs(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """The runs of base64 characters in which a pattern is found."""
    at = 0
    while found := pattern.search(text, at):
        begin, end = found.span()
        while begin > at and text[begin - 1] in _BASE64:
            begin -= 1
        while end < len(text) and text[end] in _BASE64:
            end += 1
        yield begin, end
        at = end


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class hiding_secrets:  # noqa: N801 - it is used as a word: `with hiding_secrets(…):`
    """The gate: a `PipeflowError` that leaves this block holds no secret.

    Its traceback begins outside the block, without the frames in which secrets stood.

    Args:
        secrets: Gives the secrets when an error comes: they may have changed by then.
    """

    def __init__(self, secrets: Callable[[], Iterable[str]]) -> None:
        self._secrets = secrets

    def __enter__(self) -> None:
        """Nothing to do before an error comes."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, PipeflowError):
            Redaction(self._secrets()).error(error)
            error.__traceback__ = None
