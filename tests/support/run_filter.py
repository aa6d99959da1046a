"""The part of W&B's run filters that our code and tests ask for.

W&B filters runs by MongoDB expressions. What is not understood here is an error and never a
match, so that no test passes because a filter was ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

__all__ = ["UnknownFilterError", "matches", "value_at"]

FIELDS = {
    "name": "name",
    "display_name": "displayName",
    "displayName": "displayName",
    "state": "state",
    "group": "group",
    "jobType": "jobType",
    "job_type": "jobType",
    "tags": "tags",
    "created_at": "createdAt",
    "createdAt": "createdAt",
    "heartbeat_at": "heartbeatAt",
    "heartbeatAt": "heartbeatAt",
}


class UnknownFilterError(Exception):
    """The filter uses a field or an operator that is not built here."""


def matches(run: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    """Tell whether a run is what a filter asks for.

    Args:
        run: its fields as the public API names them, ``config`` and ``summaryMetrics`` as objects.
        expression: MongoDB query.
    """
    return all(_clause(run, key, asked) for key, asked in expression.items())


def value_at(run: Mapping[str, Any], field: str) -> Any:
    """Return what a run has at a field such as ``config.lr``; None where it has nothing."""
    head, _, rest = field.partition(".")
    if head == "config" and rest:
        return _config_value(run["config"], rest.split("."))
    if head == "summary_metrics" and rest:
        # NOTE: our summary keys are flat and may hold dots; only config is walked.
        return run["summaryMetrics"].get(rest)
    if field in FIELDS:
        return run[FIELDS[field]]
    raise UnknownFilterError(f"no filter on {field!r}")


def _clause(run: Mapping[str, Any], key: str, asked: Any) -> bool:
    if key in ("$and", "$or"):
        answers = [matches(run, part) for part in cast("list[Mapping[str, Any]]", asked)]
        return all(answers) if key == "$and" else any(answers)
    found = value_at(run, key)
    if not isinstance(asked, dict):
        return _equal(found, asked)
    operators = cast("dict[str, Any]", asked)
    return all(_operator(name)(found, value) for name, value in operators.items())


def _config_value(config: Mapping[str, Any], path: list[str]) -> Any:
    """Walk a config. The wire wraps each top-level value; filters may name the wrap or not."""
    top = config.get(path[0])
    found: Any = cast("Mapping[str, Any]", top).get("value") if isinstance(top, dict) else top
    for part in path[2:] if path[1:2] == ["value"] else path[1:]:
        found = cast("Mapping[str, Any]", found).get(part) if isinstance(found, dict) else None
    return found


def _equal(found: Any, asked: Any) -> bool:
    if isinstance(found, list) and not isinstance(asked, list):
        return asked in cast("list[Any]", found)
    return found == asked


def _operator(name: str) -> Callable[[Any, Any], bool]:
    try:
        return OPERATORS[name]
    except KeyError:
        raise UnknownFilterError(f"no filter operator {name!r}") from None


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda found, asked: not _equal(found, asked),
    "$in": lambda found, asked: any(_equal(found, one) for one in asked),
    "$nin": lambda found, asked: not any(_equal(found, one) for one in asked),
    "$exists": lambda found, asked: (found is not None) == asked,
    "$regex": lambda found, asked: isinstance(found, str) and bool(re.search(asked, found)),
}
