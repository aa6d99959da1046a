"""What a checkpoint says of the process that wrote it, and how this process differs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from wandb_repro.errors import CheckpointError
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seeding import seeds_of_script
from wandb_repro.recording.wandb_run import CONFIG_KEY


class Unsaved(NamedTuple):
    """Something that a resumed training does differently from an uninterrupted one."""

    what: str
    where: str
    """File and line; empty if unknown."""
    cure: str

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{self.what}{where}; {self.cure}"


NOT_SEEDED = Unsaved(
    "nothing was seeded, so values drawn before training are different in each process",
    "",
    "call wandb_repro.init(seed=...) or keras.utils.set_random_seed(...) first",
)


def state_of_process(frameworks: Iterable[str]) -> dict[str, Any]:
    """Return seed, config and versions of the loaded frameworks, as JSON for a checkpoint."""
    return {
        "made_with": _versions(frameworks),
        "seed": seed_of_process(),
        "config": _config(),
    }


def differences_of_process(state: dict[str, Any]) -> list[str]:
    """Return sentences on how this process differs from that of a checkpoint's state."""
    seed = seed_of_process()
    differences: list[str] = []
    if state["seed"] != seed:
        differences.append(
            f"it was seeded with {state['seed']} and this process with {seed}, so what was "
            "drawn before training is not the same; stop, give it "
            f"seed={state['seed']}, start again"
        )
    differences += _other_config(state["config"])
    here = _versions(state["made_with"])
    for name, version in state["made_with"].items():
        if here.get(name, "none") != version:
            differences.append(
                f"it was made with {name} {version} and this is {here.get(name, 'none')}"
            )
    return differences


def seed_of_process() -> str | None:
    """Return the seed of this process as text; None if none was found."""
    seeding = process.seeding
    if seeding is not None and seeding.seed is not None:
        return str(seeding.seed)
    seeds = seeds_of_script(None)
    seed = seeds.get("keras", seeds.get("tensorflow"))
    return None if seed is None else str(seed)


def check_config(saved: dict[str, str]) -> None:
    """Check the config in a sweep, where a different config means a different run.

    Raises:
        CheckpointError: the checkpoint is of another run of the sweep.
    """
    other = _other_config(saved)
    if other and getattr(_run(), "sweep_id", None):
        raise CheckpointError(f"it is of another run of the sweep: {other[0]}")


def _run() -> Any:
    return getattr(sys.modules.get("wandb"), "run", None)


def _config() -> dict[str, str]:
    """Return the active run's W&B config, each value as text; empty without a run."""
    run = _run()
    items = dict(run.config).items() if run is not None else ()
    return {str(name): repr(value) for name, value in items if name != CONFIG_KEY}


def _other_config(saved: dict[str, str]) -> list[str]:
    here = _config()
    return [
        f"config {name!r} was {saved[name]} and is {here[name]}"
        for name in sorted(saved.keys() & here.keys())
        if saved[name] != here[name]
    ]


def _versions(frameworks: Iterable[str]) -> dict[str, str]:
    loaded = {name: sys.modules.get(name) for name in frameworks}
    return {
        name: str(getattr(module, "__version__", ""))
        for name, module in loaded.items()
        if module is not None
    }
