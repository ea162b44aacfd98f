from __future__ import annotations

import pickle
import traceback
from typing import TypeVar

import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from pipeflow.credentials import ApiToken, redact
from pipeflow.errors import ApiError, TransportError

Error = TypeVar("Error", bound=BaseException)

TOKEN = "0123456789abcdef0123456789abcdef01234567"


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


def test_a_token_does_not_show_itself() -> None:
    token = ApiToken(TOKEN)
    assert token == TOKEN
    assert TOKEN not in repr(token)
    assert TOKEN not in repr({"headers": CIMultiDict({"x-api-token": token})})


def test_a_token_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(ApiToken(TOKEN))


def test_an_echoed_token_is_removed_from_an_error() -> None:
    error = ApiError(f"no {TOKEN}", status=400, error=f"bad {TOKEN}", correlation_id=TOKEN)
    redact(error, TOKEN)
    assert str(error) == "no ***"
    assert TOKEN not in everything_shown(error)
    assert error.status == 400


def test_a_harmless_cause_stays_without_its_frames() -> None:
    error = raise_from(TransportError("no answer"), ConnectionResetError("reset by peer"))
    redact(error, TOKEN)
    assert isinstance(error.__cause__, ConnectionResetError)
    assert error.__cause__.__traceback__ is None


def test_a_cause_that_echoes_the_token_goes() -> None:
    error = raise_from(TransportError("no answer"), ConnectionResetError(f"reset by {TOKEN}"))
    redact(error, TOKEN)
    assert error.__cause__ is None
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
