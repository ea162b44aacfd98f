from __future__ import annotations

import copy
import json
import pickle
import traceback
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeflow.credentials import OAuthTokens
from pipeflow.credentials.lifetime import Lifetime
from pipeflow.credentials.oauth_tokens import read_tokens
from pipeflow.errors import DecodeError

if TYPE_CHECKING:
    from tests.conftest import Wrong

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANSWER = {
    "access_token": "v1u:an-access-token/+=",
    "token_type": "Bearer",
    "expires_in": 3600,
    "refresh_token": "1:2:a-refresh-token",
    "scope": "recents:read,base",
    "api_domain": "https://acme.pipedrive.com",
}


def some_tokens(**changes: Wrong) -> OAuthTokens:
    given = {
        "access_token": "an-access-token",
        "refresh_token": "a-refresh-token",
        "expires_at": NOW,
        "api_domain": "https://acme.pipedrive.com",
        "scopes": "base",
    }
    return OAuthTokens(**{**given, **changes})


def read(previous: OAuthTokens | None = None, **changes: object) -> OAuthTokens:
    said = {name: value for name, value in (ANSWER | changes).items() if value is not ...}
    return read_tokens(json.dumps(said).encode(), NOW, previous)


# ---- the value


def test_tokens_are_json_ready_both_ways() -> None:
    tokens = some_tokens(scopes=["recents:read", "base"])
    kept = json.loads(json.dumps(tokens.to_dict()))
    assert kept == {
        "access_token": "an-access-token",
        "refresh_token": "a-refresh-token",
        "expires_at": "2026-01-02T03:04:05+00:00",
        "api_domain": "https://acme.pipedrive.com",
        "scopes": ["base", "recents:read"],
    }
    assert OAuthTokens.from_dict(kept) == tokens
    assert OAuthTokens.from_dict({**kept, "newer": 1}) == tokens


def test_the_dict_holds_plain_strings() -> None:
    assert {type(value) for value in some_tokens().to_dict().values()} == {str, list}


def test_their_repr_hides_them() -> None:
    tokens = some_tokens()
    assert "-token'" not in repr(tokens)
    assert "acme.pipedrive.com" in repr(tokens)
    assert "-token'" not in f"{tokens}"


def test_they_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(some_tokens())
    assert copy.copy(some_tokens()) == some_tokens()


def test_times_are_kept_in_utc() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5)))
    assert some_tokens(expires_at=local).expires_at.isoformat() == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize(
    ("api_domain", "base_url"),
    [
        ("https://acme.pipedrive.com", "https://acme.pipedrive.com/api/v1"),
        ("https://Acme.pipedrive.com/", "https://acme.pipedrive.com/api/v1"),
        ("https://acme.pipedrive.com:443", "https://acme.pipedrive.com/api/v1"),
        ("https://a.b.pipedrive.com", "https://a.b.pipedrive.com/api/v1"),
        ("https://pipedrive.com", "https://pipedrive.com/api/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v1"),
        ("http://localhost:1", "http://localhost:1/api/v1"),
    ],
)
def test_requests_go_to_the_company_s_own_address(api_domain: str, base_url: str) -> None:
    tokens = some_tokens(api_domain=api_domain)
    assert str(tokens.base_url) == base_url
    assert OAuthTokens.from_dict(tokens.to_dict()) == tokens


@pytest.mark.parametrize(
    "api_domain",
    [
        "",
        "acme.pipedrive.com",
        "http://acme.pipedrive.com",
        "https://pipedrive.com.example.com",
        "https://notpipedrive.com",
        "https://acme-pipedrive.com",
        "https://acme.pipedrive.com.",
        "https://acme.pipedrive.com@example.com",
        "https://me:pass@acme.pipedrive.com",
        "https://acme.pipedrive.com:8443",
        "https://acme.pipedrive.com/elsewhere",
        "https://acme.pipedrive.com?x",
        "https://acme.pipedrive.com#x",
        "https://example.com\\.pipedrive.com",
        "https://example.com/.pipedrive.com",
        "https://exämple.pipedrive.com",
        "https:// acme.pipedrive.com",
        "https://10.0.0.1",
        "ftp://acme.pipedrive.com",
        "https://[acme.pipedrive.com",
        "https://[]@",
    ],
)
def test_other_addresses_are_refused(api_domain: str) -> None:
    with pytest.raises(ValueError, match="api_domain"):
        some_tokens(api_domain=api_domain)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"access_token": ""}, ValueError),
        ({"access_token": "in two words"}, ValueError),
        ({"refresh_token": "a\nline"}, ValueError),
        ({"refresh_token": None}, TypeError),
        ({"expires_at": 3600}, TypeError),
        ({"expires_at": NOW.replace(tzinfo=None)}, ValueError),
        ({"api_domain": None}, TypeError),
    ],
)
def test_what_cannot_be_right_is_refused_without_showing_it(
    wrong: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=next(iter(wrong))) as raised:
        some_tokens(**wrong)
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    frames = [line for line in shown.format() if "pipeflow/credentials/oauth_tokens" in line]
    assert frames == []


@pytest.mark.parametrize("missing", ["access_token", "refresh_token", "expires_at", "api_domain"])
def test_a_dict_without_a_key_is_refused(missing: str) -> None:
    kept = some_tokens().to_dict()
    del kept[missing]
    with pytest.raises(ValueError, match=missing):
        OAuthTokens.from_dict(kept)


def test_a_dict_with_a_wrong_time_is_refused() -> None:
    with pytest.raises(TypeError, match="expires_at"):
        OAuthTokens.from_dict({**some_tokens().to_dict(), "expires_at": 1})
    with pytest.raises(ValueError, match="isoformat"):
        OAuthTokens.from_dict({**some_tokens().to_dict(), "expires_at": "soon"})


# ---- answers of the token endpoint


def test_an_answer_is_read() -> None:
    assert read() == OAuthTokens(
        access_token="v1u:an-access-token/+=",
        refresh_token="1:2:a-refresh-token",
        expires_at=NOW + timedelta(hours=1),
        api_domain="https://acme.pipedrive.com",
        scopes=("base", "recents:read"),
    )


def test_scopes_may_be_separated_by_spaces() -> None:
    assert read(scope="base recents:read").scopes == ("base", "recents:read")


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (60, 60),
        (60.5, 60.5),
        ("60", 60),
        (..., 3600),
        (None, 3600),
        (1, 1),
        (315_360_000, 315_360_000),
        (315_360_001, 3600),
        (0, 3600),
        (-1, 3600),
        ("soon", 3600),
        (1e300, 3600),
        (True, 3600),
        ([], 3600),
    ],
)
def test_a_lifetime_that_is_none_is_an_hour(expires_in: object, seconds: float) -> None:
    assert read(expires_in=expires_in).expires_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("without", [..., None, "", 5, "in two words"])
def test_an_answer_without_a_refresh_token_keeps_the_old_one(without: object) -> None:
    previous = some_tokens()
    assert read(previous, refresh_token=without).refresh_token == "a-refresh-token"
    with pytest.raises(DecodeError, match="refresh_token") as raised:
        read(refresh_token=without)
    assert raised.value.path == "$.refresh_token"


@pytest.mark.parametrize("without", [..., None, "", 5, "https://example.com"])
def test_an_answer_that_names_another_domain_keeps_the_old_one(without: object) -> None:
    """The new tokens are not lost, and go where the old ones went."""
    previous = some_tokens(api_domain="https://before.pipedrive.com")
    assert read(previous, api_domain=without).api_domain == "https://before.pipedrive.com"
    with pytest.raises(DecodeError, match="api_domain"):
        read(api_domain=without)


def test_a_company_may_move_to_another_domain() -> None:
    previous = some_tokens(api_domain="https://before.pipedrive.com")
    assert read(previous).api_domain == "https://acme.pipedrive.com"


def test_an_answer_without_a_scope_keeps_the_old_ones() -> None:
    assert read(some_tokens(), scope=...).scopes == ("base",)
    assert read(scope=None).scopes == ()


@pytest.mark.parametrize("without", [..., None, "", 5, "in two words"])
def test_an_answer_without_an_access_token_is_an_error(without: object) -> None:
    with pytest.raises(DecodeError, match="access_token"):
        read(some_tokens(), access_token=without)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"<html>", b"\xff", b"[" * 9999])
def test_an_answer_that_is_no_object_is_an_error(body: bytes) -> None:
    with pytest.raises(DecodeError, match="not a JSON object"):
        read_tokens(body, NOW)


JSON: st.SearchStrategy[object] = st.sampled_from(
    [None, True, False, [], {}, "", "\ud800", "in two words", 1e300, 10**30]
)
JSON |= st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)


@given(
    said=st.fixed_dictionaries({}, optional=dict.fromkeys(ANSWER, JSON)),
    right=st.sets(st.sampled_from(sorted(ANSWER))),
    has_previous=st.booleans(),
)
def test_any_answer_is_tokens_or_an_error_of_ours(
    said: dict[str, object], right: set[str], *, has_previous: bool
) -> None:
    previous = some_tokens() if has_previous else None
    answer = {**said, **{name: ANSWER[name] for name in right}}
    try:
        tokens = read_tokens(json.dumps(answer).encode(), NOW, previous)
    except DecodeError:
        assert "access_token" not in right or previous is None
    else:
        assert tokens.base_url.host in {"acme.pipedrive.com", "localhost", "127.0.0.1"}
        assert tokens.expires_at > NOW


@given(st.binary(max_size=50))
def test_any_bytes_are_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(DecodeError):
        read_tokens(body, NOW, some_tokens())


@given(st.text() | st.text(":/@.pidrvecom1?#[]\\", max_size=40).map("https://".__add__))
def test_any_domain_is_pipedrives_or_refused(api_domain: str) -> None:
    try:
        host = some_tokens(api_domain=api_domain).base_url.host or ""
    except ValueError:
        return
    assert host == "pipedrive.com" or host.endswith((".pipedrive.com", "localhost"))


# ---- how long they live


@given(
    left=st.floats(-1e9, 1e9),
    clock=st.floats(0, 1e9),
    random=st.floats(0, 1),
)
def test_a_refresh_begins_before_the_end_and_the_end_before_the_expiry(
    left: float, clock: float, random: float
) -> None:
    expires_at = NOW + timedelta(seconds=left)
    lifetime = Lifetime.until(expires_at, now=NOW, clock=clock, random=random)
    if left > 0.001:
        assert clock < lifetime.refresh_at <= lifetime.ends_at <= clock + left
        assert lifetime.ends_at <= clock + 86_400
    if left < -0.001:
        assert lifetime.refresh_at < clock
        assert lifetime.ends_at < clock


def test_the_shorter_a_life_the_shorter_its_margins() -> None:
    def until(seconds: float, random: float) -> Lifetime:
        expires_at = NOW + timedelta(seconds=seconds)
        return Lifetime.until(expires_at, now=NOW, clock=0.0, random=random)

    assert until(3600, 0.0) == Lifetime(3300.0, 3590.0)
    assert until(3600, 1.0) == Lifetime(3000.0, 3590.0)
    assert until(40, 0.0) == Lifetime(30.0, 36.0)
    assert until(40, 1.0) == Lifetime(20.0, 36.0)
    assert until(1e9, 0.0) == Lifetime(86_100.0, 86_390.0)
