"""What a webhook of Pipedrive speaks of, and whether it is really Pipedrive that speaks.

A webhook says *that* something happened. It costs no tokens, but may come twice, too early or not
at all, and mail and files have none: take it as a hint for whose history to read next. Nothing
here needs a web framework.

Source: pipedrive.readme.io, "Guide for webhooks" (v1) and "Guide for webhooks v2".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

__all__ = ["OwnerName", "is_authorized", "owners_of"]

OwnerName: TypeAlias = tuple[str, int]
"""Whose history something belongs to, such as `("person", 5)`."""

_OWNER_KINDS: Final = frozenset({"person", "deal", "organization"})
_OWNING_FIELDS: Final = {
    "person_id": "person",
    "deal_id": "deal",
    "org_id": "organization",
    "organization_id": "organization",  # a lead's name for it
}
_MERGES: Final = ("merged_to_id", "merged_from_id", "merge_what_id")
_LARGEST_ID: Final = 2**63 - 1


def owners_of(body: bytes | str | Mapping[str, Any]) -> frozenset[OwnerName]:
    """Tell whose histories a webhook speaks of: persons, deals and organizations.

    Both versions of webhooks are read, and both sides of a change: an activity that was moved
    from one person to another, or a person that was merged into another, names two. A webhook
    about something that has no history, such as a product or a user, names none.

    ```python
    assert owners_of(body) == {("person", 1101), ("organization", 5101)}
    ```

    Args:
        body: The request's body as it came, or the object that was read from it.

    Raises:
        ValueError: It is not a webhook of Pipedrive's. Nothing else is raised, whatever comes.
    """
    message = body if isinstance(body, Mapping) else _read_json(body)
    if not isinstance(message, Mapping) or not isinstance(meta := message.get("meta"), Mapping):
        raise ValueError("not a webhook: it has no meta")  # noqa: TRY004 - one error for all
    entity = meta.get("entity", meta.get("object"))
    if not isinstance(entity, str) or not isinstance(meta.get("action"), str):
        raise ValueError("not a webhook: its meta names no action on an entity")  # noqa: TRY004
    # "data" is the name of v2, "current" that of v1; what was deleted stands in "previous" only.
    states = [
        state
        for name in ("data", "current", "previous")
        if isinstance(state := message.get(name), Mapping)
    ]
    owners = {owner for state in states for owner in _owners_in(state)}
    if entity in _OWNER_KINDS:
        own = [meta.get("entity_id", meta.get("id")), *(state.get("id") for state in states)]
        merged = [source.get(name) for source in (meta, *states) for name in _MERGES]
        owners |= {(entity, number) for number in map(_id, (*own, *merged)) if number is not None}
    return frozenset(owners)


def _read_json(body: object) -> object:
    if not isinstance(body, bytes | bytearray | memoryview | str):
        raise ValueError("not a webhook: neither a body nor an object")  # noqa: TRY004
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError("not a webhook: its body is not JSON") from error


def _owners_in(state: Mapping[str, Any]) -> Iterator[OwnerName]:
    for name, kind in _OWNING_FIELDS.items():
        if (number := _id(state.get(name))) is not None:
            yield kind, number
    participants = state.get("participants")
    for participant in participants if isinstance(participants, list | tuple) else ():
        if isinstance(participant, Mapping) and (number := _id(participant.get("person_id"))):
            yield "person", number


def _id(value: object) -> int | None:
    """The id that a field holds: a number, its digits, or an object with one of them in `value`."""
    if isinstance(value, Mapping):
        value = value.get("value")
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        value = int(value)
    # A bool is an int, but not an id.
    return value if type(value) is int and 1 <= value <= _LARGEST_ID else None


def is_authorized(header: str | bytes | None, *, user: str, password: str) -> bool:
    """Whether an `Authorization` header holds this user and password (HTTP Basic).

    Basic is the only authentication that Pipedrive's webhooks have; there is no signature. Give
    both when you create the webhook, and serve it over HTTPS only. The comparison takes the same
    time whatever was sent.

    Args:
        header: The value of the request's `Authorization` header, or None if there is none.
        user: `http_auth_user` of the webhook.
        password: `http_auth_password` of the webhook.

    Raises:
        ValueError: The user or the password is empty, which would let anyone in, or the user
            holds a colon, which HTTP Basic does not allow.
    """
    if not user or not password:
        raise ValueError("the user and the password must not be empty")
    if ":" in user:
        raise ValueError("the user must not hold a colon")
    sent = header if isinstance(header, bytes) else (header or "").encode(errors="replace")
    scheme, _, encoded = sent.strip().partition(b" ")
    try:
        credentials = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        credentials = b""
    # Hashed first: compare_digest tells the length of what differs in length.
    expected = hashlib.sha256(f"{user}:{password}".encode()).digest()
    is_right = hmac.compare_digest(hashlib.sha256(credentials).digest(), expected)
    return is_right and scheme.lower() == b"basic"
