from __future__ import annotations

import enum

import pytest
from yarl import URL

from pipeflow.owners import Owner, OwnerKind

BASE = URL("https://acme.pipedrive.com/api/v1")


class Person(int, enum.Enum):
    SAM = 7


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (OwnerKind.PERSON, "persons"),
        (OwnerKind.DEAL, "deals"),
        (OwnerKind.ORGANIZATION, "organizations"),
    ],
)
def test_the_address_names_the_collection_and_the_id(kind: OwnerKind, path: str) -> None:
    address = f"https://acme.pipedrive.com/api/v1/{path}/7/flow"
    assert str(Owner(kind, 7).flow_url(BASE)) == address
    assert str(Owner(kind, Person.SAM).flow_url(BASE)) == address


def test_owners_are_the_same_when_kind_and_id_are() -> None:
    assert Owner(OwnerKind.PERSON, Person.SAM) == Owner(OwnerKind.PERSON, 7)
    assert Owner(OwnerKind.PERSON, 7) != Owner(OwnerKind.DEAL, 7)
    assert type(Owner(OwnerKind.PERSON, Person.SAM).id) is int


@pytest.mark.parametrize("kind", OwnerKind)
def test_a_wrong_id_is_named_with_its_kind(kind: OwnerKind) -> None:
    with pytest.raises(ValueError, match=f"the {kind.noun} id must be 1 or more, not 0"):
        Owner(kind, 0)
    with pytest.raises(TypeError, match=f"the {kind.noun} id must be an int, not '7'"):
        Owner(kind, "7")  # type: ignore[arg-type]


def test_each_kind_has_its_own_items() -> None:
    assert OwnerKind.ORGANIZATION.items_parameter("activityFile") == "activityFile"
    assert OwnerKind.PERSON.items_parameter("call,personChange") == "call,personChange"
    with pytest.raises(ValueError, match="no value 'activityFile'"):
        OwnerKind.PERSON.items_parameter("activityFile")
    with pytest.raises(ValueError, match="no value 'call'"):
        OwnerKind.ORGANIZATION.items_parameter("call")
