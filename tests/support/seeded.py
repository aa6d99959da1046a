"""A process that was seeded, and its W&B run, for tests of checkpoints."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from types import ModuleType, SimpleNamespace

import pytest

from wandb_repro.recording.process_state import process
from wandb_repro.recording.seeding import Seeding

__all__ = ["seeded", "use_run"]


@pytest.fixture(autouse=True)
def seeded() -> Generator[None]:
    """Give this process the seed 7, as ``init`` would."""
    process.reset()
    process.seeding = Seeding(7, asked=7, deterministic=None, drawn=False)
    yield
    process.reset()


def use_run(monkeypatch: pytest.MonkeyPatch, config: Mapping[str, object], **run: object) -> None:
    """Give the process a W&B run with this config."""
    found = ModuleType("wandb")
    found.__dict__["run"] = SimpleNamespace(config=config, **run)
    monkeypatch.setitem(sys.modules, "wandb", found)
