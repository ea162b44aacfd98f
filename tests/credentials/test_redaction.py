from __future__ import annotations

import json
import string
import traceback
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, quote_plus

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from pipeflow.answers import Answer
from pipeflow.credentials import Redaction, hiding_secrets
from pipeflow.errors import ApiError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

Error = TypeVar("Error", bound=BaseException)

TOKEN = "0123456789abcdef0123456789abcdef01234567"
PUNCTUATED = 'v1u:AQIBAHj/x+Y=w"\\7a~b.c-d_e%f'
SECRETS = st.text(string.printable[:94], min_size=8, max_size=60)
LONG_SECRETS = st.text(string.printable[:94], min_size=16, max_size=60)


def without(text: str, *secrets: str) -> str:
    return Redaction(secrets).text(text)


def everything_shown(error: BaseException) -> str:
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    parts = ["".join(shown.format()), repr(error), repr(error.args), repr(vars(error))]
    return "\n".join(parts)


def raise_from(error: Error, cause: BaseException) -> Error:
    try:
        try:
            raise cause
        except type(cause) as caught:
            raise error from caught
    except type(error) as raised:
        return raised.with_traceback(None)  # this function's own locals are not the point


def redact(error: ApiError | TransportError, *secrets: str) -> None:
    Redaction(secrets).error(error)


# ---- texts


def test_a_secret_is_replaced_wherever_it_stands() -> None:
    assert without(f"no {TOKEN}, {TOKEN}", TOKEN) == "no ***, ***"
    assert without(f"x{TOKEN}y", TOKEN) == "x***y"
    assert without("no secret", TOKEN) == "no secret"
    assert without("", TOKEN) == ""


def test_every_secret_is_replaced() -> None:
    other = TOKEN[::-1]
    assert without(f"{TOKEN} and {other}", TOKEN, other) == "*** and ***"
    assert without(f"{TOKEN}{other}", other, TOKEN) == "******"


def test_a_secret_within_another_leaves_nothing_of_either() -> None:
    assert without(f"<{TOKEN}>", TOKEN[4:24], TOKEN, TOKEN[:20]) == "<***>"


def test_overlapping_secrets_leave_nothing_of_either() -> None:
    assert without(f"<{TOKEN}>", TOKEN[:24], TOKEN[20:]) == "<***>"


@pytest.mark.parametrize("short", ["a", "token", "1234567"])
def test_a_secret_of_less_than_eight_characters_stays_within_a_text(short: str) -> None:
    text = f"the token {short} is 1 of 2"
    assert without(text, short) == text


@pytest.mark.parametrize("whole", ["a", "token", "secret-token", TOKEN])
def test_a_text_that_is_the_secret_is_hidden_whatever_its_length(whole: str) -> None:
    assert without(whole, whole) == "***"
    assert without(f"Bearer {whole}", whole) == "***"


def test_up_to_fifteen_characters_only_a_whole_word_is_hidden() -> None:
    assert without("my_password passwords password1", "password") == "my_*** passwords password1"
    assert without("eight: password.", "password") == "eight: ***."
    assert without("xfifteenletters1", "fifteenletters1") == "xfifteenletters1"
    assert without("xsixteenletters01", "sixteenletters01") == "x***"


@pytest.mark.parametrize("escape", ["\\n", "\\u000a", "%0A", "%0a"])
def test_a_whole_word_may_follow_an_escape(escape: str) -> None:
    assert without(f"the{escape}password", "password") == f"the{escape}***"


def test_no_secret_is_nothing_to_hide() -> None:
    assert without("a text", "") == "a text"
    assert without("") == ""


@pytest.mark.parametrize(
    "spell",
    [
        str,
        quote,
        quote_plus,
        lambda secret: quote(secret, safe=""),
        lambda secret: quote(quote(secret, safe=""), safe=""),
        lambda secret: quote(secret, safe="").lower() if secret.islower() else quote(secret),
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),  # as PHP does it
        lambda secret: json.dumps(json.dumps(secret))[1:-1],
        lambda secret: secret.replace("\\", "\\u005c").replace("/", "\\u002F"),
    ],
)
@given(secret=LONG_SECRETS)
def test_a_secret_is_found_however_it_is_escaped(spell: Callable[[str], str], secret: str) -> None:
    spelled = spell(secret)
    shown = without(f"«{spelled}»", secret)
    assert spelled not in shown
    assert shown.startswith("«")
    assert "***" in shown


def test_the_whole_of_an_escaped_secret_is_replaced() -> None:
    for spelled in (
        PUNCTUATED,
        quote(PUNCTUATED, safe=""),
        quote(quote(PUNCTUATED, safe=""), safe=""),
        json.dumps(PUNCTUATED)[1:-1].replace("/", "\\/"),
    ):
        assert without(f"<{spelled}>", PUNCTUATED) == "<***>"


@given(secret=SECRETS, before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_secret_is_found_within_base64(secret: str, before: bytes, after: bytes) -> None:
    whole = before + secret.encode() + after
    for encoded in (b64encode(whole).decode(), urlsafe_b64encode(whole).decode()):
        assert without(f"Basic {encoded}.", secret) == "Basic ***."


def test_a_basic_header_within_json_is_found() -> None:
    secret = "?>" * 12
    encoded = b64encode(b"id:" + secret.encode()).decode()
    assert "/" in encoded
    escaped = encoded.replace("/", "\\/")
    assert "***" in without(escaped, secret)
    assert encoded[-20:-8] not in without(escaped, secret)


def test_many_runs_of_base64_in_one_text_are_each_replaced() -> None:
    encoded = b64encode(f"id:{TOKEN}".encode()).decode()
    assert without(f"{encoded} {encoded}\n{encoded}", TOKEN) == "*** ***\n***"
    assert without(encoded.rstrip("=") * 3, TOKEN) == "***"


def test_a_hostile_body_takes_no_time_to_search() -> None:
    """Neither one endless run of base64 nor endless almost-secrets."""
    encoded = b64encode(TOKEN.encode()).decode()
    for body in (
        "A" * 2**20,
        TOKEN[:-1] * 2**15,
        encoded * 2**14,
        "%25" * 2**18,
        "\\" * 2**20,
        "a" * 2**18,
    ):
        redaction = Redaction([TOKEN, PUNCTUATED, "::::%%%%\\\\\\\\::::", "a" * 16])
        redaction.text(body)  # pytest's timeout ends what is quadratic


# ---- answers


def test_an_answer_loses_what_it_echoes_in_headers_and_body() -> None:
    answer = Answer(
        400,
        CIMultiDict({"x-correlation-id": "short", "server": f"at {TOKEN}"}),
        f'{{"error": "no {TOKEN}"}}'.encode() + b"\xff",
    )
    shown = Redaction([TOKEN, "short"]).answer(answer)
    assert shown.status == 400
    assert dict(shown.headers) == {"x-correlation-id": "***", "server": "at ***"}
    assert shown.body == b'{"error": "no ***"}\xff'


# ---- errors


def test_an_echoed_token_is_removed_from_an_error() -> None:
    error = ApiError(f"no {TOKEN}", status=400, error=f"bad {TOKEN}", correlation_id=TOKEN)
    error.add_note(f"asked with {TOKEN}")
    redact(error, TOKEN)
    assert str(error) == "no ***"
    assert error.__notes__ == ["asked with ***"]
    assert TOKEN not in everything_shown(error)
    assert error.status == 400


def test_a_short_token_leaves_messages_readable() -> None:
    error = ApiError("400 bad token in token_field", status=400, correlation_id="token")
    redact(error, "token")
    assert str(error) == "400 bad token in token_field"
    assert error.correlation_id == "***"


def test_a_harmless_cause_stays_without_its_frames() -> None:
    error = raise_from(TransportError("no answer"), ConnectionResetError("reset by peer"))
    redact(error, TOKEN)
    assert isinstance(error.__cause__, ConnectionResetError)
    assert error.__cause__.__traceback__ is None


def test_a_cause_that_echoes_the_token_goes() -> None:
    error = raise_from(TransportError("no answer"), ConnectionResetError(f"reset by {TOKEN}"))
    redact(error, TOKEN)
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert TOKEN not in everything_shown(error)


def test_a_cause_that_echoes_the_token_further_down_goes() -> None:
    inner = raise_from(OSError("outer"), ValueError(TOKEN))
    error = raise_from(TransportError("no answer"), inner)
    redact(error, TOKEN)
    assert TOKEN not in everything_shown(error)


def test_a_cause_that_holds_the_request_goes() -> None:
    headers = CIMultiDictProxy(CIMultiDict({"x-api-token": TOKEN}))
    request = aiohttp.RequestInfo(URL("http://x/"), "GET", headers, URL("http://x/"))
    error = raise_from(TransportError("no answer"), aiohttp.ClientResponseError(request, ()))
    redact(error, TOKEN)
    assert error.__cause__ is None
    assert TOKEN not in everything_shown(error)


# ---- the gate


def test_an_error_leaves_the_gate_without_secrets_and_without_frames() -> None:
    def fail() -> None:
        held = TOKEN
        raise ApiError(f"no {held}", status=400)

    with pytest.raises(ApiError, match=r"^no \*\*\*$") as raised, hiding_secrets(lambda: [TOKEN]):
        fail()
    assert TOKEN not in everything_shown(raised.value)


def test_the_gate_asks_for_the_secrets_when_the_error_comes() -> None:
    secrets: list[str] = []
    with pytest.raises(ApiError, match=r"^no \*\*\*$"), hiding_secrets(lambda: secrets):
        secrets.append(TOKEN)
        raise ApiError(f"no {TOKEN}", status=400)


def test_what_is_no_error_of_ours_leaves_the_gate_as_it_was() -> None:
    with pytest.raises(LookupError) as raised, hiding_secrets(lambda: [TOKEN]):
        raise LookupError(TOKEN)
    assert len(raised.traceback) == 1
    with hiding_secrets(lambda: [TOKEN]):
        pass
