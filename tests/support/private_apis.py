"""The list of what we use of other libraries without their promise, read from its file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import wandb_repro

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["PRIVATE_APIS", "USES", "VERSIONS", "PrivateApi"]

USES: dict[str, Any] = tomllib.loads(
    (Path(wandb_repro.__file__).parent / "private_apis.toml").read_text(encoding="utf-8")
)
"""By library; each use names what it needs and what is lost without it."""

_KINDS = ("attribute", "field", "variable", "operation")

VERSIONS: dict[str, str] = USES.pop("versions")


class PrivateApi(NamedTuple):
    """One name that a library may change without notice."""

    owner: str
    """Module, class or function that has it."""
    name: str
    lost: str = ""
    used_by: tuple[str, ...] = ()
    library: str = "python"
    kind: str = "attribute"
    parameters: tuple[str, ...] = ()
    """Those that a call of ours passes, in order."""
    is_replaced: bool = False


def _entries() -> Iterator[PrivateApi]:
    for library, uses in USES.items():
        for use in uses:
            for kind in _KINDS:
                for written in use.get(f"{kind}s", ()):
                    yield _entry(library, use, kind, written)


def _entry(library: str, use: dict[str, Any], kind: str, written: str) -> PrivateApi:
    path, _, parameters = written.rstrip(")").partition("(")
    owner, _, name = path.rpartition(".")
    return PrivateApi(
        owner,
        name,
        use["lost"],
        tuple(use["used_by"]),
        library,
        kind,
        tuple(parameters.split(", ")) if parameters else (),
        path in use.get("replaced", ()),
    )


PRIVATE_APIS = tuple(_entries())
