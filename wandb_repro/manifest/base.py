"""Base classes of all records, and how a record says that a fact is missing."""

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

from wandb_repro.errors import ManifestError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.canonical import JSON

_FIELD = re.compile(r"[a-z0-9_]{1,64}|[A-Z0-9_]{1,64}", re.ASCII)
_TYPES = frozenset({"bool", "float", "int", "str"})


class Record(BaseModel):
    """A frozen record. Unknown fields are kept: reading and writing a document changes nothing."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, strict=True, extra="allow", defer_build=True
    )


_R = TypeVar("_R", bound=Record)


def unchecked(kind: type[_R], fields: dict[str, Any]) -> _R:
    """Return a record without validating its fields, in a microsecond.

    The record takes over the dict ``fields``, which must have all its fields, of the right types.
    """
    # model_construct does the same, but looks up default and alias of each field: for a trail of
    # a million steps that takes longer than everything else.
    record = kind.__new__(kind)
    # A frozen record has no other way to set these. Source: pydantic, BaseModel.model_construct.
    object.__setattr__(record, "__dict__", fields)
    object.__setattr__(record, "__pydantic_fields_set__", set(fields))
    object.__setattr__(record, "__pydantic_extra__", {})
    object.__setattr__(record, "__pydantic_private__", None)
    return record


class ExecutionRecord(Record):
    """A record that a rerun acts on. Unknown fields are refused, not ignored.

    Source: SLSA v1.0 provenance, "unrecognized externalParameters SHOULD cause verification
    to fail".
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, strict=True, extra="forbid", defer_build=True
    )


_ADDED: JsonDict = {"later": True}


def added_field(default: Any) -> Any:
    """Return the default of a field of an ``EvolvedRecord`` that the first format did not have."""
    return Field(default=default, json_schema_extra=_ADDED)


class EvolvedRecord(BaseModel):
    """A record with fields that its first format did not have.

    A document of an older version is written again unchanged: an added field that it does not
    have is left out.
    """

    @model_serializer(mode="wrap")
    def _without_unset(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document: dict[str, Any] = serialize(self)
        for name, field in type(self).model_fields.items():
            if field.json_schema_extra == _ADDED and name not in self.model_fields_set:
                document.pop(name, None)
        return document


class Unavailable(Record):
    """A fact that could not be recorded."""

    unavailable: str
    """Why, in words for the person who reads the record."""

    def __str__(self) -> str:
        return self.unavailable


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return where a document does not match its record, and what is wrong there.

    The path consists of keys and positions: ``execution.packages.distributions.0.name``.
    """
    faults = error.errors()
    # A field that takes a record or ``Unavailable`` fails as both; the record was meant.
    meant = [fault for fault in faults if Unavailable.__name__ not in fault["loc"]]
    # The innermost fault is the most specific.
    fault = max(meant or faults, key=lambda fault: len(fault["loc"]))
    path = [str(part) for part in fault["loc"] if _is_place(part)]
    what = fault["msg"].removeprefix("Value error, ")
    return ".".join(path) or "the top level", what[:1].lower() + what[1:]


def read_record(kind: type[_R], body: JSON, subject: str) -> _R:
    """Return the record that a parsed document describes.

    Raises:
        ManifestError: the document does not match the record; ``where`` is the path.
    """
    try:
        return kind.model_validate_json(canonical.dumps(body))
    except ValidationError as error:
        where, what = first_fault(error)
        raise ManifestError(
            f"{subject} invalid at {where}: {what}.",
            hint="Another program wrote it, or somebody edited it; download the run's files again.",
            where=where,
        ) from error


def _is_place(part: int | str) -> bool:
    """Tell whether this is a key or a position, not the name of a type that pydantic added."""
    if isinstance(part, int):
        return True
    return part not in _TYPES and _FIELD.fullmatch(part) is not None
