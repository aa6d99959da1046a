"""The parts of a record without which there is no rerun."""

from __future__ import annotations

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.errors import RefusedError
from wandb_repro.rerun.parts import parts_of


def test_the_parts_are_those_of_the_record() -> None:
    manifest = full_manifest()
    parts = parts_of(manifest)
    execution = manifest.execution
    assert (parts.command, parts.code, parts.packages) == (
        execution.command,
        execution.code,
        execution.packages,
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"execution.world_size": 2}, "trained in 2 processes together"),
        ({"execution.command": absent("none.")}, "how it was started: none\\.$"),
        ({"execution.command.kind": "notebook"}, "the notebook's cells: they were not written"),
        ({"execution.code": absent("no git")}, "its source tree: no git"),
        ({"execution.code.bundle": absent("full")}, "the bytes of its source tree: full"),
        ({"execution.packages": absent("broken")}, "its packages: broken"),
        ({"execution.code.root": "digits"}, "'digits' is not a valid absolute path"),
        ({"execution.code.root": "/a\0b"}, "is not a valid absolute path"),
    ],
)
def test_a_record_without_one_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence):
        parts_of(changed(full_manifest(), changes))
