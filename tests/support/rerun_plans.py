"""A plan of a rerun, made from a full record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support.records import changed, full_manifest
from wandb_repro.rerun.found_inputs import FoundInputs
from wandb_repro.rerun.plan import Plan, make_plan


def simple_plan(work: Path, changes: Mapping[str, object] | None = None) -> Plan:
    """Return a plan of a script without arguments, inputs and launcher."""
    simple = {
        "execution.command.arguments": (),
        "execution.command.redacted": (),
        "execution.command.launcher": False,
        "description.inputs": (),
    }
    return make_plan(changed(full_manifest(), {**simple, **(changes or {})}), work, FoundInputs())
