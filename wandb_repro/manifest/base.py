"""What every record is made of, and how a missing fact is told."""

from __future__ import annotations

import re
from typing import Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic.config import JsonDict

__all__ = ["ExecutionRecord", "Grown", "Record", "Unavailable", "first_fault", "later", "trusted"]


_FIELD = re.compile(r"[a-z0-9_]{1,64}|[A-Z0-9_]{1,64}", re.ASCII)
_TYPES = frozenset({"bool", "float", "int", "str"})


class Record(BaseModel):
    """A frozen record. Fields it does not know are kept: reading and writing changes nothing."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, strict=True, extra="allow", defer_build=True
    )


_R = TypeVar("_R", bound=Record)


def trusted(kind: type[_R], fields: dict[str, Any]) -> _R:
    """Return a record whose fields are known to be right, all of them given, in a microsecond.

    As ``model_construct``, which asks each field for its default and its alias: of a trail of a
    million steps that takes longer than all the rest. The fields are the record's from now on.
    """
    made = kind.__new__(kind)
    # A frozen record refuses what is not done this way. Source: pydantic, BaseModel.model_construct
    object.__setattr__(made, "__dict__", fields)
    object.__setattr__(made, "__pydantic_fields_set__", set(fields))
    object.__setattr__(made, "__pydantic_extra__", {})
    object.__setattr__(made, "__pydantic_private__", None)
    return made


class ExecutionRecord(Record):
    """A record that a rerun acts on. A field it does not know is refused, not ignored.

    Source: SLSA v1.0 provenance, "unrecognized externalParameters SHOULD cause verification
    to fail".
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, strict=True, extra="forbid", defer_build=True
    )


_LATER: JsonDict = {"later": True}


def later(default: Any) -> Any:
    """Return the default of a field that the first format had not, for a :class:`Grown` record."""
    return Field(default=default, json_schema_extra=_LATER)


class Grown(BaseModel):
    """A record that got fields after its first format.

    What an older program wrote is written again as it was: a later field that was never given is
    left out.
    """

    @model_serializer(mode="wrap")
    def _as_given(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told: dict[str, Any] = whole(self)
        for name, field in type(self).model_fields.items():
            if field.json_schema_extra == _LATER and name not in self.model_fields_set:
                told.pop(name, None)
        return told


class Unavailable(Record):
    """A fact that could not be had."""

    unavailable: str
    """Why, in words for the person who reads the run."""

    def __str__(self) -> str:
        return self.unavailable


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return where a document is not as its record says, and what is wrong there, in words.

    The place is the path of names and numbers inside the document, without the names of records.
    A field that takes a record or ``Unavailable`` fails as both, and the record is what was
    meant; of several faults the one that lies furthest in says most.
    """
    faults = error.errors()
    meant = [one for one in faults if Unavailable.__name__ not in one["loc"]]
    fault = max(meant or faults, key=lambda one: len(one["loc"]))
    path = [str(part) for part in fault["loc"] if _is_place(part)]
    what = fault["msg"].removeprefix("Value error, ")
    return ".".join(path) or "its top", what[:1].lower() + what[1:]


def _is_place(part: int | str) -> bool:
    """Tell a field, key or position from the names of records and types that pydantic adds."""
    if isinstance(part, int):
        return True
    return part not in _TYPES and _FIELD.fullmatch(part) is not None
