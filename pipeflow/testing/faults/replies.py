"""Other answers than the right one."""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from pipeflow.testing.answers import Answer, error_answer, html_answer, with_headers
from pipeflow.testing.cloudflare import BlockForm, accepted_form, cloudflare_answer
from pipeflow.testing.entries import to_json
from pipeflow.testing.faults.base import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BadGateway",
    "Block",
    "Cloudflare",
    "DailyBudgetExceeded",
    "Headers",
    "Redirect",
    "Status",
    "TooManyRequests",
]

_NO_HEADERS: Final[Mapping[str, str | None]] = {}


def replaced(answer: Answer, other: Answer) -> Answer:
    # What was put on the answer before (a delay, an ending) and its general headers stay.
    return evolve(
        answer,
        status=other.status,
        body=other.body,
        headers={**answer.headers, **other.headers},
    )


@frozen
class Status(Fault):
    """Any status with any body.

    `body` is sent as it is when it is bytes or a string, and as JSON otherwise; without one it is
    an error as Pipedrive words it. A header whose value is None is left out.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str | None] = _NO_HEADERS

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        other = error_answer(self.status, responses.get(self.status, "Unknown"))
        match self.body:
            case None:
                pass
            case bytes() as body:
                other = evolve(other, body=body)
            case str() as text:
                other = evolve(other, body=text.encode())
            case value:
                other = evolve(other, body=to_json(value))
        return with_headers(replaced(answer, other), self.headers)


@frozen
class TooManyRequests(Fault):
    """A 429 of the burst limit, whatever is left of it.

    Args:
        retry_after: The text of `Retry-After`: seconds, a date, or nonsense. None leaves it out.
        headers: More headers, such as garbage in `x-ratelimit-reset`; None leaves one out.
    """

    retry_after: str | None = None
    headers: Mapping[str, str | None] = _NO_HEADERS

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        refused = replaced(answer, error_answer(429, "request over limit", error_info=None))
        spent = {"x-ratelimit-remaining": "0", "Retry-After": self.retry_after}
        return with_headers(with_headers(refused, spent), self.headers)


@frozen
class DailyBudgetExceeded(Fault):
    """A 429 of the daily budget; `retry_after` as in `TooManyRequests`."""

    retry_after: str | None = None

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        other = error_answer(429, "daily request budget exceeded", error_info=None)
        return with_headers(replaced(answer, other), {"Retry-After": self.retry_after})


@frozen
class Cloudflare(Fault):
    """An error of Cloudflare's own.

    `Cloudflare(429, 1015)` is its own rate limit; `Cloudflare(520)` to 527, 529 and 530 say that
    Pipedrive does not answer.

    Args:
        status: The HTTP status.
        code: Cloudflare's number for it; the status by default.
        form: `"html"`, `"json"`, `"problem"` (`application/problem+json`) or `"text"`; None for
            the one that the request's `Accept` header asks for, as in reality.
    """

    status: int
    code: int | None = None
    form: BlockForm | None = None

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        form = self.form or accepted_form(answer.accept)
        return replaced(answer, cloudflare_answer(self.status, self.code or self.status, form))


@frozen
class Block(Fault):
    """Cloudflare's 403, to a client that went on after many refusals; `form` as in `Cloudflare`."""

    form: BlockForm | None = None

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        return Cloudflare(403, 1020, self.form).answer(answer)


@frozen
class BadGateway(Fault):
    """A proxy's 502 (or another status), a web page."""

    status: int = 502

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        phrase = responses.get(self.status, "Unknown")
        page = f"<html><head><title>{self.status} {phrase}</title></head></html>"
        return replaced(answer, html_answer(self.status, page))


@frozen
class Redirect(Fault):
    """A redirect to another address."""

    location: str
    status: int = 302

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        headers = {"Location": self.location}
        return replaced(answer, Answer(self.status, b"", headers))


@frozen
class Headers(Fault):
    """The answer with other headers; None leaves one out.

    `Headers({"x-ratelimit-limit": None, "Set-Cookie": "session=1"})`
    """

    headers: Mapping[str, str | None]

    def answer(self, answer: Answer) -> Answer:
        """Change the headers."""
        return with_headers(answer, self.headers)
