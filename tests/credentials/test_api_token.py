from __future__ import annotations

import pytest

from pipeflow.credentials import ApiTokenCredential, Credential

TOKEN = "0123456789abcdef0123456789abcdef01234567"


async def test_the_token_stands_in_its_header() -> None:
    authorization = await ApiTokenCredential(TOKEN, company_domain="acme").authorization()
    assert authorization.headers == {"x-api-token": TOKEN}
    assert str(authorization.base_url) == "https://acme.pipedrive.com/api/v1"
    assert TOKEN not in repr(authorization)


async def test_a_refused_token_cannot_be_refreshed() -> None:
    credential = ApiTokenCredential(TOKEN)
    assert not await credential.refresh(await credential.authorization())


def test_it_is_a_credential_with_one_secret() -> None:
    credential = ApiTokenCredential(TOKEN)
    assert isinstance(credential, Credential)
    assert list(credential.secrets()) == [TOKEN]
    assert repr(credential) == "<ApiTokenCredential for https://api.pipedrive.com/v1>"


@pytest.mark.parametrize("token", ["", "a b", "a\r\nb", "a\n", "ä", "\x00"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="api_token"):
        ApiTokenCredential(token)


def test_a_token_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="api_token"):
        ApiTokenCredential(b"token")  # type: ignore[arg-type]
