from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from yarl import URL

from pipeflow.addresses import base_url_from, version_2_url
from pipeflow.owners import Owner, OwnerKind

if TYPE_CHECKING:
    from tests.conftest import Wrong


def test_the_default_is_the_public_api() -> None:
    assert base_url_from(None, None) == URL("https://api.pipedrive.com/v1")


def test_a_company_has_an_address_of_its_own() -> None:
    assert base_url_from(None, "Acme-2") == URL("https://acme-2.pipedrive.com/api/v1")


@pytest.mark.parametrize(
    ("base_url", "meant"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://api.example.com", "https://api.example.com"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://127.9.9.9/v1", "http://127.9.9.9/v1"),
        ("http://localhost:1/v1", "http://localhost:1/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_https_and_loopback_are_accepted(base_url: str, meant: str) -> None:
    assert str(base_url_from(base_url, None)).rstrip("/") == meant


@pytest.mark.parametrize(
    ("base_url", "complaint"),
    [
        ("http://api.example.com/v1", "https://"),
        ("http://127.0.0.1.example.com/v1", "https://"),
        ("http://10.0.0.1/v1", "https://"),
        ("ftp://api.example.com", "absolute https"),
        ("api.example.com/v1", "absolute https"),
        ("/v1", "absolute https"),
        ("", "absolute https"),
        ("https://", "not a URL|absolute https"),
        ("https://[]@", "not a URL"),
        ("https://api.example.com:99999/v1", "not a URL"),
        ("https://me:secret@api.example.com/v1", "credentials"),
        ("https://@api.example.com/v1", "credentials"),
        ("https://api.example.com/v1?api_token=secret", "query or a fragment"),
        ("https://api.example.com/v1?", "query or a fragment"),
        ("https://api.example.com/v1#top", "query or a fragment"),
        ("https://api.example.com/v1\r\nx: y", "control characters"),
        (" https://api.example.com/v1", "white space"),
    ],
)
def test_other_base_urls_are_refused_with_the_reason(base_url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        base_url_from(base_url, None)
    assert "base_url" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "company_domain",
    ["", "acme.pipedrive.com", "acme/", "acme@evil", "acme:1", "-acme", "a" * 64, "ac me", "äcme",
     "acme\n", "evil.example.com#"],
)  # fmt: skip
def test_a_company_domain_is_one_host_label(company_domain: str) -> None:
    with pytest.raises(ValueError, match="company_domain"):
        base_url_from(None, company_domain)


def test_both_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="base_url or company_domain, not both"):
        base_url_from("https://api.example.com/v1", "acme")


@pytest.mark.parametrize(
    ("base_url", "company_domain", "named"),
    [(5, None, "base_url"), (None, 5, "company_domain"), (b"https://x", None, "base_url")],
)
def test_other_types_are_a_type_error(base_url: Wrong, company_domain: Wrong, named: str) -> None:
    with pytest.raises(TypeError, match=named):
        base_url_from(base_url, company_domain)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (OwnerKind.PERSON, "/v1/persons/7/flow"),
        (OwnerKind.DEAL, "/v1/deals/7/flow"),
        (OwnerKind.ORGANIZATION, "/v1/organizations/7/flow"),
    ],
)
def test_each_owner_has_its_endpoint(kind: OwnerKind, path: str) -> None:
    assert Owner(kind, 7).flow_url(base_url_from(None, None)).path == path


@pytest.mark.parametrize(
    ("version_1", "version_2"),
    [
        ("https://api.pipedrive.com/v1", "https://api.pipedrive.com/api/v2"),
        ("https://acme.pipedrive.com/api/v1", "https://acme.pipedrive.com/api/v2"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/api/v2"),
        ("https://proxy.example.com/pipedrive/v1", "https://proxy.example.com/pipedrive/v2"),
        ("https://proxy.example.com", "https://proxy.example.com/api/v2"),
        ("https://proxy.example.com/pipedrive", "https://proxy.example.com/api/v2"),
    ],
)
def test_version_2_is_beside_version_1(version_1: str, version_2: str) -> None:
    assert version_2_url(base_url_from(version_1, None)) == URL(version_2)
