"""Compares two values of one fact; a difference becomes a finding."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TypeVar, cast

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.data import Dataset, is_of_fit
from wandb_repro.verify.finding import Effect, Finding, Kind

_T = TypeVar("_T")


def text(value: object) -> str:
    """Return a value of a record in words: True is ``on``, a tuple is a list with commas."""
    if isinstance(value, Unavailable):
        return f"not known ({value})"
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "not set"
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return ", ".join(text(item) for item in items) or "none"
    return str(value)


def differ(
    kind: Kind, fact: str, original: object, here: object, effect: Effect, cure: str = ""
) -> Iterator[Finding]:
    """Yield a finding if two values differ.

    Two values that are not known count as equal. If only one is known, bits may change.
    """
    unknown = [isinstance(value, Unavailable) for value in (original, here)]
    if original == here or all(unknown):
        return
    yield Finding(
        kind=kind,
        fact=fact,
        original=text(original),
        here=text(here),
        effect="may change bits" if any(unknown) and effect == "changes bits" else effect,
        sentence=f"{fact}: {text(original)} in the original, {text(here)} here",
        cure=cure,
    )


def differ_in(
    kind: Kind,
    original: Record,
    here: Record,
    fields: Mapping[str, str],
    effect: Effect,
    cure: str = "",
) -> Iterator[Finding]:
    """Yield a finding for each field that differs between two records of one class.

    ``fields`` maps the fact's name for people to the field: ``{"GPU driver": "driver"}``. In
    ``cure``, ``{}`` becomes the original's value.
    """
    for fact, field in fields.items():
        value = getattr(original, field)
        advice = cure.format(text(value))
        yield from differ(kind, fact, value, getattr(here, field), effect, advice)


def both_are(kind: type[_T], original: object, here: object) -> tuple[_T, _T] | None:
    """Return both values if both are records of this kind."""
    if isinstance(original, kind) and isinstance(here, kind):
        return original, here
    return None


def recorded(kind: Kind, fact: str, original: object, here: object) -> Iterator[Finding]:
    """Yield a finding if only one of two runs recorded this part."""
    cure = "record both runs again: a part that was not recorded cannot be compared"
    yield from differ(kind, fact, _presence(original), _presence(here), "may change bits", cure)


def both_recorded(
    record: type[_T], kind: Kind, fact: str, original: object, here: object
) -> Generator[Finding, None, tuple[_T, _T] | None]:
    """Return both records of this class; if one is missing, yield a finding and return None."""
    yield from recorded(kind, fact, original, here)
    return both_are(record, original, here)


def _presence(value: object) -> object:
    return value if isinstance(value, Unavailable) else "recorded"


def digests_in_order(
    data: Iterable[Dataset] | Unavailable,
) -> dict[str, tuple[str | Unavailable, ...]]:
    """Return the digests of the data given to ``fingerprint``, by name, in order.

    The parts of a fit are left out: they are measured only where that takes no time.
    """
    by_name: dict[str, tuple[str | Unavailable, ...]] = {}
    for dataset in () if isinstance(data, Unavailable) else data:
        if not is_of_fit(dataset.name):
            by_name[dataset.name] = (*by_name.get(dataset.name, ()), dataset.digest)
    return by_name


def digests_by_name(data: Iterable[Dataset]) -> dict[str, object]:
    """Return the digest of each dataset by its name, or a tuple if a name was used twice."""
    by_name: dict[str, tuple[object, ...]] = {}
    for dataset in data:
        by_name[dataset.name] = (*by_name.get(dataset.name, ()), dataset.digest)
    return {name: digests[0] if len(digests) == 1 else digests for name, digests in by_name.items()}
