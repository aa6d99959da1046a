"""How a run was started, as it would be typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.report.record_sections import command_line

PLAIN: dict[str, Any] = {
    "arguments": ["--lr", "0.1"],
    "redacted": [],
    "interpreter_flags": [],
    "launcher": False,
}
COMMANDS: dict[str, tuple[dict[str, Any], str]] = {
    "a script": ({}, "python train.py --lr 0.1"),
    "a module": ({"kind": "module", "target": "pkg.train"}, "python -m pkg.train --lr 0.1"),
    "text": (
        {"kind": "code", "target": "import x; x()", "arguments": []},
        "python -c 'import x; x()'",
    ),
    "an installed command": ({"kind": "console", "target": "trainer"}, "trainer --lr 0.1"),
    "flags": ({"interpreter_flags": ["-X", "utf8"]}, "python -X utf8 train.py --lr 0.1"),
    "the launcher": ({"launcher": True}, "wandb-repro run -- python train.py --lr 0.1"),
    "words to quote": (
        {"arguments": ["a b", "$(x)", "c'd"]},
        "python train.py 'a b' '$(x)' 'c'\"'\"'d'",
    ),
}


@pytest.mark.parametrize(("fields", "line"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_reads_as_it_would_be_typed(fields: dict[str, Any], line: str) -> None:
    command = {f"execution.command.{name}": value for name, value in {**PLAIN, **fields}.items()}

    assert command_line(changed(full_manifest(), command).execution.command) == line


def test_an_unknown_command_says_why() -> None:
    manifest = changed(full_manifest(), {"execution.command": absent("a shell started it")})

    assert command_line(manifest.execution.command) == "not recorded: a shell started it"
