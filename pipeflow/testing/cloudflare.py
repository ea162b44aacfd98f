"""What Cloudflare, which stands in front of Pipedrive, answers by itself, in each of its forms.

Source: developers.cloudflare.com, "Cloudflare 1xxx errors", "Cloudflare 5xx errors" and
"Error page formats". Which of them Pipedrive's zone uses is not published.
"""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from pipeflow.testing.answers import Answer
from pipeflow.testing.entries import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLOUDFLARE_HEADERS", "BlockForm", "accepted_form", "cloudflare_answer"]

BlockForm: TypeAlias = Literal["html", "json", "problem", "text"]

_RAY: Final = "8f00000000000000"
CLOUDFLARE_HEADERS: Final[Mapping[str, str]] = {"server": "cloudflare", "cf-ray": f"{_RAY}-FRA"}
"""They come with every answer, also with Pipedrive's own."""

_TYPES: Final[Mapping[BlockForm, str]] = {
    "html": "text/html; charset=UTF-8",
    "json": "application/json; charset=utf-8",
    "problem": "application/problem+json; charset=utf-8",
    "text": "text/plain; charset=UTF-8",
}
_BY_MEDIA_TYPE: Final[Mapping[str, BlockForm]] = {
    "text/html": "html",
    "application/json": "json",
    "application/problem+json": "problem",
    "text/plain": "text",
}
_TITLES: Final[Mapping[int, str]] = {
    520: "Web server returned an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
    525: "SSL handshake failed",
    526: "Invalid SSL certificate",
    527: "Railgun error",
    529: "Site is overloaded",
    530: "Origin DNS error",
    1015: "You are being rate limited",
    1020: "Access denied",
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en-US">
<head><title>{title} | Cloudflare</title></head>
<body>
<h1>{title}</h1>
<h2>Error {code}, api.pipedrive.com</h2>
<p>Cloudflare Ray ID: {ray}</p>
</body>
</html>
"""


def accepted_form(accept: str) -> BlockForm:
    """The form that an `Accept` header asks for: the first one known in it, or a web page."""
    for part in accept.split(","):
        media_type = part.partition(";")[0].strip().lower()
        if media_type in _BY_MEDIA_TYPE:
            return _BY_MEDIA_TYPE[media_type]
    return "html"


def cloudflare_answer(status: int, code: int, form: BlockForm) -> Answer:
    """An error of Cloudflare's own.

    Args:
        status: The HTTP status.
        code: Cloudflare's number for it: 1020 (blocked), 1015 (rate limited), or the status.
        form: In which form it comes.
    """
    title = _TITLES.get(code) or responses.get(status, "Unknown")
    said: dict[str, Any] = {
        "type": f"https://developers.cloudflare.com/support/errors/{code}/",
        "title": f"Error {code}: {title}",
        "status": status,
        "detail": title,
        "instance": _RAY,
        "error_code": code,
        "cloudflare_error": True,
        "retryable": status != 403,
        "ray_id": _RAY,
        "zone": "api.pipedrive.com",
    }
    match form:
        case "html":
            body = _PAGE.format(title=title, code=code, ray=_RAY).encode()
        case "text":
            body = f"error code: {code}".encode()
        case _:
            body = to_json(said)
    return Answer(status, body, {"Content-Type": _TYPES[form]})
