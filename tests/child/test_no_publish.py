"""What a rerun would change on a server through ``wandb.Api``."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb_repro.child.no_publish import WRITES

_SENDS = re.compile(
    r"(?i)\bmutation\b|_mutation\b|(?:CREATE|UPDATE|DELETE|UPSERT|RENAME|ADD|REMOVE|LINK)_[A-Z_]+GQL"
)

_INNER = {
    # Called by `save` and `change_type`, which are held back.
    *("_update_collection", "_update_sequence_type", "_add_tags", "_delete_tags"),
}

HELD = """
import importlib, types
import wandb
from wandb_repro.child.no_publish import WRITES, hold_back_api

told = []
hold_back_api(wandb, told.append)
assert wandb.sweep({}) == "held-back"
for (module, kind), names in WRITES.items():
    owner = getattr(importlib.import_module(f"wandb.apis.public.{module}"), kind)
    one = owner.__new__(owner)
    artifact = object()
    for name in names:
        given = getattr(one, name)(artifact)
        assert given is (artifact if name in ("log_artifact", "use_artifact") else None), name
assert len(told) == 1 + sum(map(len, WRITES.values())), told
print(sorted(told)[0])
"""


def _functions(owner: type) -> Iterator[tuple[str, Any]]:
    for name, member in vars(owner).items():
        function: Any = getattr(member, "__func__", member)
        # What a dataclass writes itself has no source.
        code: Any = getattr(inspect.unwrap(function), "__code__", None)
        if inspect.isfunction(function) and code.co_filename.endswith(".py"):
            yield name, function


def _writing() -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each method of the public API in whose source a mutation is sent."""
    public: Any = importlib.import_module("wandb.apis.public")
    prefix = "wandb.apis.public."
    for found in pkgutil.walk_packages(public.__path__, prefix):
        if found.ispkg or "test" in found.name:
            continue
        module = importlib.import_module(found.name)
        for kind, owner in vars(module).items():
            if inspect.isclass(owner) and owner.__module__ == found.name:
                for name, function in _functions(owner):
                    text = re.sub(r"\"\"\".*?\"\"\"", "", inspect.getsource(function), flags=re.S)
                    if _SENDS.search(text):
                        yield (found.name.removeprefix(prefix), kind), name


def compare() -> None:
    """Compare what sends a mutation with what is held back."""
    found = {(place, name) for place, name in _writing() if name not in _INNER}

    assert found
    assert {one for one in found if one[1] not in WRITES.get(one[0], ())} == set()


def test_everything_that_sends_a_mutation_is_held_back() -> None:
    """In a process of its own: others of this one may have changed wandb for a test."""
    code = "from tests.child import test_no_publish as here; here.compare()"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_held_back_exists_in_this_wandb() -> None:
    for (module, kind), names in WRITES.items():
        owner = getattr(importlib.import_module(f"wandb.apis.public.{module}"), kind)
        assert [name for name in names if not hasattr(owner, name)] == [], kind


def test_nothing_is_sent_and_each_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Api.create_automation\n"
