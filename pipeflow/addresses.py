"""Where requests go: base URLs, and what may not be smuggled into them."""

from __future__ import annotations

import ipaddress
import re

from yarl import URL

__all__ = [
    "DEFAULT_BASE_URL",
    "api_domain_base_url",
    "base_url_from",
    "checked_url",
    "parsed_url",
    "version_2_url",
]

DEFAULT_BASE_URL = "https://api.pipedrive.com/v1"

_PIPEDRIVES_HOST = r"([a-z0-9-]+\.)*pipedrive\.com"

_HOST_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def base_url_from(base_url: str | None, company_domain: str | None) -> URL:
    """The address that every request starts with.

    `company_domain="acme"` means `https://acme.pipedrive.com/api/v1`, which Pipedrive's guide
    recommends as faster than the default `https://api.pipedrive.com/v1`.

    Raises:
        ValueError: Both are given; the domain is not a host label; or the URL is not an absolute
            https one (http only to loopback) without credentials, query and fragment.
        TypeError: One of them is not a string.
    """
    if base_url is not None and company_domain is not None:
        raise ValueError("give base_url or company_domain, not both")
    if company_domain is not None:
        return _company_base_url(company_domain)
    url = checked_url("base_url", DEFAULT_BASE_URL if base_url is None else base_url)
    return url.with_path(url.path.rstrip("/"))


def api_domain_base_url(api_domain: str) -> URL:
    """The address that requests with an OAuth token start with: `{api_domain}/api/v1`.

    Source: Pipedrive's guide, "OAuth authorization" (`marketplace-oauth-authorization`).

    Raises:
        ValueError: It is not https on a host of pipedrive.com, or a loopback server, alone.
        TypeError: It is not a string.
    """
    url = checked_url("api_domain", api_domain)
    is_pipedrives = url.scheme == "https" and re.fullmatch(_PIPEDRIVES_HOST, url.host or "")
    if not (is_pipedrives and url.port == 443) and not _is_loopback(url.host or ""):
        raise ValueError("api_domain must be https:// and a host of pipedrive.com")
    if url.path != "/":
        raise ValueError("api_domain must not have a path")
    return url.with_path("/api/v1")


def _company_base_url(company_domain: str) -> URL:
    if not isinstance(company_domain, str):
        raise TypeError(f"company_domain must be a string, not {type(company_domain).__name__}")
    if not re.fullmatch(_HOST_LABEL, company_domain):
        raise ValueError(
            "company_domain must be the first part of your Pipedrive address alone, such as "
            f"'acme' for acme.pipedrive.com, not {company_domain!r}"
        )
    return URL(f"https://{company_domain.lower()}.pipedrive.com/api/v1")


def parsed_url(name: str, address: str) -> URL:
    """A URL of any kind.

    Raises:
        ValueError: It is not one.
    """
    try:
        url = URL(address)
        _ = url.host
    except (ValueError, IndexError) as error:  # IndexError: yarl 1.22 on `x://[]@`
        raise ValueError(f"{name} is not a URL") from error
    return url


def checked_url(name: str, address: str) -> URL:
    """An absolute https URL (http only to loopback), without credentials, query and fragment.

    The URL is not repeated in the messages: it may hold the very secret that is refused.

    Args:
        name: The argument's name, for the message.
        address: What was given.

    Raises:
        ValueError: It is not such a URL.
        TypeError: It is not a string.
    """
    if not isinstance(address, str):
        raise TypeError(f"{name} must be a string, not {type(address).__name__}")
    if re.search(r"[\x00-\x20\x7f]", address):
        raise ValueError(f"{name} must not contain white space or control characters")
    url = parsed_url(name, address)
    host = url.host
    if url.scheme not in {"http", "https"} or not host:
        raise ValueError(f"{name} must be an absolute https:// URL, such as {DEFAULT_BASE_URL!r}")
    if "@" in address.partition("://")[2].partition("/")[0]:
        raise ValueError(f"{name} must not hold credentials; give the token as api_token")
    if "?" in address or "#" in address:
        raise ValueError(f"{name} must not have a query or a fragment")
    if url.scheme == "http" and not _is_loopback(host):
        raise ValueError(
            f"{name} must be https://: over plain http the token could be read on the way "
            "(http is for a server on the loopback interface only)"
        )
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def version_2_url(base_url: URL) -> URL:
    """The base URL of version 2 of the API, beside that of version 1.

    It is `/api/v2` of the same host where version 1 is `/v1`, as at `https://api.pipedrive.com/v1`;
    elsewhere, as at `https://acme.pipedrive.com/api/v1`, it is where version 1 is.
    """
    before, _, last = base_url.path.rpartition("/")
    if not before or last != "v1":
        return base_url.with_path("/api/v2")
    return base_url.with_path(f"{before}/v2")
