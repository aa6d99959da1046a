"""What a rerun would change on a server through ``wandb.Api``.

Classes of W&B are changed for good, so that is done in processes of their own.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from wandb_repro.child.no_api_writes import api_classes, held_methods

_SENDS = re.compile(
    r"(?i)\bmutation\b|_mutation\b|(?:CREATE|UPDATE|DELETE|UPSERT|RENAME|ADD|REMOVE|LINK)_[A-Z_]+GQL"
)

_INNER = {
    # Called by `save` and `change_type`, which are held back.
    *("_update_collection", "_update_sequence_type", "_add_tags", "_delete_tags"),
}

EXPECTED = {
    "Api": {"create_run", "_create_run", "create_user", "delete_automation", "sync_tensorboard"},
    "Run": {"create", "update", "save", "delete", "upload_file", "log_artifact", "use_artifact"},
    "HTTPSummary": {"_write"},
    "File": {"delete"},
    "ArtifactCollection": {"save", "delete", "change_type"},
    "Registry": {"create", "save", "delete", "add_members", "remove_members", "update_member"},
    "RunQueue": {"create", "delete"},
    "Sweep": {"enqueue_run"},
    "Team": {"create", "invite", "create_service_account"},
    "User": {"create", "delete_api_key", "generate_api_key"},
}


def in_new_process(code: str) -> str:
    """Return what the code prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _functions(owner: type) -> Iterator[tuple[str, Any]]:
    for name, member in vars(owner).items():
        function: Any = getattr(member, "__func__", member)
        # A method that a dataclass generates has no source.
        code: Any = getattr(inspect.unwrap(function), "__code__", None)
        if inspect.isfunction(function) and code.co_filename.endswith(".py"):
            yield name, function


def compare() -> None:
    """Compare what sends a mutation, by its source, with what is held back."""
    public: Any = importlib.import_module("wandb.apis.public")
    sending: list[str] = []
    for found in pkgutil.walk_packages(public.__path__, "wandb.apis.public."):
        if found.ispkg or "test" in found.name:
            continue
        for kind, owner in vars(importlib.import_module(found.name)).items():
            if not inspect.isclass(owner) or owner.__module__ != found.name:
                continue
            for name, function in _functions(owner):
                text = re.sub(r"\"\"\".*?\"\"\"", "", inspect.getsource(function), flags=re.S)
                if _SENDS.search(text) and name not in _INNER:
                    sending.append(f"{kind}.{name}")
                    assert name in held_methods(owner), f"{kind}.{name}"
    assert len(sending) > 10


def test_everything_that_sends_a_mutation_is_held_back() -> None:
    in_new_process("from tests.child.test_no_api_writes import compare; compare()")


def list_held() -> None:
    """Compare what is held back with what is known to write."""
    import wandb

    held = {owner.__name__: set(held_methods(owner)) for owner in api_classes(wandb)}
    for kind, names in EXPECTED.items():
        assert names <= held[kind], kind
    # Nothing that only reads is among the rest: a rerun that reads a history still can.
    reads = {"runs", "run", "artifact", "history", "scan_history", "files", "download", "load"}
    assert [names & reads for names in held.values() if names & reads] == []
    assert sum(map(len, held.values())) < 60


def test_what_writes_is_held_back_and_what_reads_is_not() -> None:
    in_new_process("from tests.child.test_no_api_writes import list_held; list_held()")


INVENTED = """
import wandb
from wandb.apis.public import Api, Run

Api.publish_everything = lambda self: 1 / 0
Run.promote = classmethod(lambda cls, name: 1 / 0)
Run.history = lambda self: "read"

from wandb_repro.child.no_api_writes import hold_back_api
hold_back_api(wandb, print)

api, run = Api.__new__(Api), Run.__new__(Run)
assert api.publish_everything() is None
assert Run.promote("best") is None
assert run.history() == "read"
artifact = object()
assert run.log_artifact(artifact) is artifact
"""


def test_a_method_that_w_and_b_adds_is_held_back_and_says_so() -> None:
    assert in_new_process(INVENTED).split() == [
        "Api.publish_everything",
        "Run.promote",
        "Run.log_artifact",
    ]


class Thing:
    """Stands for a class of the public API."""

    def history(self) -> None: ...

    def launch(self) -> None: ...

    def _send(self) -> None: ...

    @property
    def size(self) -> int:
        return 1

    @cached_property
    def shape(self) -> int:
        return 1

    @staticmethod
    def make() -> None: ...


@pytest.mark.parametrize(("name", "held"), [("Thing", ["launch", "make"]), ("Api", [])])
def test_properties_and_private_methods_are_left_alone(name: str, held: list[str]) -> None:
    owner = type(name, (), {k: v for k, v in vars(Thing).items() if held or k == "history"})
    assert held_methods(owner) == held
