"""The names behind the keys and ids of the generated histories, as Pipedrive's lists tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pipeflow.testing.histories.cast import Cast, custom_field_key
from pipeflow.testing.histories.fields import CUSTOM, LABELS, STAGES, STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LISTS", "AccountNames", "generate_names"]

AccountNames: TypeAlias = "Mapping[str, list[dict[str, Any]]]"
"""The entries of each list by its name."""

LISTS: Final = (
    "users",
    "personFields",
    "dealFields",
    "organizationFields",
    "stages",
    "pipelines",
)

_FIELDS: Final = {
    "personFields": "personChange",
    "dealFields": "dealChange",
    "organizationFields": "organizationChange",
}
_STANDARD_NAMES: Final = {
    "job_title": ("Job title", "varchar"),
    "phone": ("Phone", "phone"),
    "label": ("Label", "enum"),
    "marketing_status": ("Marketing status", "enum"),
    "stage_id": ("Stage", "stage"),
    "status": ("Status", "status"),
    "value": ("Value", "monetary"),
    "probability": ("Probability", "int"),
    "expected_close_date": ("Expected close date", "date"),
    "address": ("Address", "address"),
    "people_count": ("People", "int"),
    "owner_id": ("Owner", "user"),
    "name": ("Name", "varchar"),
    "title": ("Title", "varchar"),
    "visible_to": ("Visible to", "visible_to"),
}
_CUSTOM_NAMES: Final = {
    custom_field_key(name): (name, field_type)
    for name, field_type in (
        ("Favourite roast", "enum"),
        ("Cups a day", "double"),
        ("Contract renewal", "date"),
        ("Languages", "set"),
        ("Machine model", "enum"),
        ("Site visit", "date"),
        ("Rooms", "double"),
        ("Delivery address", "address"),
    )
}
_LANGUAGES: Final = ((51, "English"), (52, "German"))
_VISIBILITY: Final = ((1, "Item owner"), (3, "All users"))
_SUBFIELDS: Final = {
    "monetary": (("currency", "Currency", "varchar"),),
    "address": (("locality", "City", "varchar"), ("country", "Country", "varchar")),
}


def generate_names() -> dict[str, list[dict[str, Any]]]:
    """The names that the generated histories need: users, fields, stages and pipelines.

    By the name of their list, as `FakePipedrive(names=…)` takes them.
    """
    fields = {name: list(_fields(name, kind)) for name, kind in _FIELDS.items()}
    return {"users": _users(), **fields, "stages": _stages(), "pipelines": _pipelines()}


def _users() -> list[dict[str, Any]]:
    return [
        {
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "active_flag": True,
            "is_deleted": False,
            "is_you": position == 0,
            "timezone_name": "Europe/Berlin",
            "icon_url": None,
            "lang": 1,
            "locale": "de_DE",
            "default_currency": "EUR",
            "role_id": 1,
            "created": "2020-01-01 00:00:00",
            "modified": "2026-01-01 00:00:00",
        }
        for position, user in enumerate(Cast.around(1101).users)
    ]


def _fields(name: str, kind: str) -> Iterator[dict[str, Any]]:
    shown = "title" if name == "dealFields" else "name"
    number = 4000
    for key in (shown, *STANDARD[kind], "owner_id", "visible_to", *CUSTOM[kind]):
        custom = key in _CUSTOM_NAMES
        called, field_type = _CUSTOM_NAMES[key] if custom else _STANDARD_NAMES[key]
        number += 1
        yield _field(number, key, called, field_type, custom=custom, options=_options(kind, key))
        for suffix, subname, subtype in _SUBFIELDS.get(field_type, ()):
            number += 1
            subfield = _field(
                number, f"{key}_{suffix}", f"{called}: {subname}", subtype, custom=custom
            )
            yield subfield | {"is_subfield": True, "id_suffix": suffix}


def _field(
    number: int,
    key: str,
    name: str,
    field_type: str,
    *,
    custom: bool,
    options: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    # Fields that Pipedrive computes have no id.
    told: dict[str, Any] = {
        "id": None if key == "people_count" else number,
        "key": key,
        "name": name,
        "field_type": field_type,
        "edit_flag": custom,
        "active_flag": True,
        "mandatory_flag": key in {"name", "title"},
        "bulk_edit_allowed": True,
        "add_time": "2020-01-01 00:00:00",
        "update_time": "2026-01-01 00:00:00",
        "order_nr": number - 4000,
    }
    if options is None:
        return told
    told["options"] = options
    if name == "Favourite roast":
        # The last roast was sold out: its option is gone, but not from the histories.
        told["options"], told["options_deleted"] = options[:-1], options[-1:]
    return told


def _options(kind: str, key: str) -> list[dict[str, Any]] | None:
    if key == "visible_to":
        choices: tuple[tuple[Any, Any], ...] = _VISIBILITY
    elif key == "label":
        choices = LABELS
    elif key == custom_field_key("Languages"):
        choices = _LANGUAGES
    elif key in {"marketing_status", "status"}:
        choices = tuple((value, str(value).capitalize()) for value, _ in STANDARD[kind][key])
    elif key in {custom_field_key("Favourite roast"), custom_field_key("Machine model")}:
        choices = CUSTOM[kind][key]
    else:
        return None
    return [{"id": value, "label": label} for value, label in choices]


def _stages() -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "name": name,
            "pipeline_id": 1,
            "order_nr": position,
            "is_deleted": False,
            "deal_probability": 25 * (position + 1),
            "is_deal_rot_enabled": False,
            "days_to_rotten": None,
            "add_time": "2020-01-01T00:00:00Z",
            "update_time": None,
        }
        for position, (number, name) in enumerate(STAGES)
    ]


def _pipelines() -> list[dict[str, Any]]:
    return [
        {
            "id": 1,
            "name": "Sales",
            "order_nr": 0,
            "is_deleted": False,
            "is_deal_probability_enabled": True,
            "add_time": "2020-01-01T00:00:00Z",
            "update_time": None,
        }
    ]
