"""The names of one account, as a value that can be kept."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import datetime  # noqa: TC003 - cattrs reads the annotations
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from cattrs import BaseValidationError
from cattrs.preconf.json import make_converter

if TYPE_CHECKING:
    from cattrs import Converter

    from pipeflow.records.json_text import Json
    from pipeflow.records.sentences import UpdateLike

__all__ = ["VERSION", "FieldNames", "Names"]

VERSION = 1

_FIELDS_OF = {
    "personChange": "person_fields",
    "dealChange": "deal_fields",
    "organizationChange": "organization_fields",
}
_USERS = ("user_id", "owner_id", "creator_user_id", "update_user_id")
_SUBFIELD = re.compile(r"([0-9a-f]{40})_([a-z_0-9]+)")
_LONGEST_ID = 18


@frozen
class FieldNames:
    """One field of persons, deals or organizations.

    Attributes:
        name: What people call it.
        field_type: Its type, such as `enum`, `set`, `user`, `varchar`.
        options: The labels of its options by id, of deleted ones too.
    """

    name: str
    field_type: str = ""
    options: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Names:
    """The names in one Pipedrive account. JSON-ready both ways, so that you can keep it.

    `PipedriveSession.get_names` asks for it. `update.summary(names)` and `update.sentence(names)`
    use it. Names go stale; what it does not know stays the id or the key.

    Attributes:
        fetched_at: When they were asked for, in UTC.
        users: The users' names by id.
        person_fields: The fields of persons by key.
        deal_fields: The fields of deals by key.
        organization_fields: The fields of organizations by key.
        stages: The stages' names by id.
        pipelines: The pipelines' names by id.
        refused: The parts that the account did not give, each with the reason.
    """

    fetched_at: datetime
    users: Mapping[int, str] = field(factory=dict)
    person_fields: Mapping[str, FieldNames] = field(factory=dict)
    deal_fields: Mapping[str, FieldNames] = field(factory=dict)
    organization_fields: Mapping[str, FieldNames] = field(factory=dict)
    stages: Mapping[int, str] = field(factory=dict)
    pipelines: Mapping[int, str] = field(factory=dict)
    refused: Mapping[str, str] = field(factory=dict)

    # ---- what updates ask

    def field_name(self, update: UpdateLike, /) -> str | None:
        """The name of the field that a change is about; None for one that is not known."""
        found = self._field(update)
        return None if found is None else found.name

    def value_text(self, update: UpdateLike, value: Json, /) -> str | None:
        """What a value of that field stands for; None where the value speaks for itself.

        An option's label, or those of a set of options; the name of a user, a stage or a pipeline.
        Ids may be strings.
        """
        key = _key(update)
        if key in _USERS:
            return self.user_name(_number(value))
        if key == "stage_id":
            return self.stages.get(_number(value))
        if key in {"pipeline", "pipeline_id"}:
            return self.pipelines.get(_number(value))
        found = self._field(update)
        if found is None:
            return None
        if found.field_type == "user":
            return self.user_name(_number(value))
        return _labels(found.options, value)

    def user_name(self, user_id: int, /) -> str | None:
        """The name of a user; None for an unknown one."""
        return self.users.get(user_id)

    def _field(self, update: UpdateLike) -> FieldNames | None:
        fields: Mapping[str, FieldNames] = getattr(self, _FIELDS_OF.get(update.object, ""), {})
        key = _key(update)
        if key in fields:
            return fields[key]
        part = _SUBFIELD.fullmatch(key)
        if part is None or part[1] not in fields:
            return None
        whole = fields[part[1]]
        # `…_currency`, `…_until`, `…_locality`: a part of a field, which lists do not always name.
        return FieldNames(f"{whole.name} ({part[2].replace('_', ' ')})")

    # ---- keeping

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready value, of which `from_dict` makes equal names."""
        value: dict[str, Any] = _converter().unstructure(self)
        return {"version": VERSION, **value}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Names:
        """The names that `to_dict` made.

        Raises:
            ValueError: It is something else, or was made by another version.
        """
        try:
            version = value["version"]
            names = _converter().structure(value, cls)
        except (BaseValidationError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"these are not kept names: {error!r}") from error
        if version != VERSION:
            raise ValueError(f"the kept names are of version {version!r}, not {VERSION}")
        return names


@functools.cache
def _converter() -> Converter:
    return make_converter()


def _key(update: UpdateLike) -> str:
    data = update.data
    key = data.get("field_key") if isinstance(data, Mapping) else getattr(data, "field_key", None)
    return key if isinstance(key, str) else ""


def _number(value: Json) -> int:
    """The id that a value holds, as a number or as a string; -1 for what is not an id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID:
        return int(value)
    return -1


def _labels(options: Mapping[str, str], value: Json) -> str | None:
    if not options or value is None or value == "":
        return None
    if isinstance(value, list):
        parts = [str(part) for part in value]
    else:
        parts = [part.strip() for part in str(value).split(",")]
    if not any(part in options for part in parts):
        return None
    return ", ".join(options.get(part, part) for part in parts)
