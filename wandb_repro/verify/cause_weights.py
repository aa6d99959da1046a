"""How likely each kind of difference is to have changed the bits, by where they first changed."""

from __future__ import annotations

from collections.abc import Set

from wandb_repro.verify.finding import Effect, Kind
from wandb_repro.verify.first_cause import CauseKind, FirstCause
from wandb_repro.verify.outcome import OutputKind
from wandb_repro.verify.weights_diff import FirstDifference, Stage

EFFECT_WEIGHTS: dict[Effect, int] = {
    "stops": 0,
    "changes bits": 100,
    "may change bits": 40,
    "is not compared": 0,
    "explains": 0,
}

# Initial weights come from seeds and initializers only: kernels, threads and data come later.
# Once the initial weights are equal, seeds and code have had their effect already.
# Source: measured on 8 kinds of model and 13 settings.
_INITIAL: dict[Kind, int] = {
    "seed": 90,
    "model": 85,
    "code": 70,
    "config": 60,
    "command": 50,
    "framework": 40,
    "package": 30,
    "interpreter": 10,
}
_FIRST_STEPS: dict[Kind, int] = {
    "data": 95,
    "model": 93,
    "threads": 90,
    "switch": 85,
    "framework": 80,
    "determinism": 75,
    "processor": 70,
    "accelerator": 65,
    "code": 60,
    "config": 62,
    "seed": 50,
    "package": 45,
    "command": 40,
}
_LATER: dict[Kind, int] = {
    "determinism": 90,
    "model": 85,
    "accelerator": 80,
    "code": 70,
    "config": 65,
    "data": 60,
    "threads": 55,
    "switch": 50,
    "framework": 45,
    "processor": 40,
    "seed": 35,
    "package": 30,
    "command": 25,
}
_BY_STAGE: dict[Stage, dict[Kind, int]] = {
    "initial": _INITIAL,
    "first steps": _FIRST_STEPS,
    "later": _LATER,
}

# What changed first within a step says more than which step it was: a cause cannot act before
# its turn in the step. If the batch differs, no kernel of the model has run yet; if the batch is
# equal and the loss is not, it was a kernel of the forward pass.
# Source: five faults, injected and measured.
_BY_FIRST_CAUSE: dict[CauseKind, dict[Kind, int]] = {
    "data": {
        "config": 97,
        "command": 96,
        "data": 95,
        "package": 95,
        "determinism": 80,
        "seed": 75,
        "code": 70,
        "model": 30,
        "framework": 25,
    },
    "state": {"code": 95, "model": 65, "config": 60, "command": 55, "package": 30, "framework": 20},
    "loss": {kind: weight for kind, weight in _FIRST_STEPS.items() if kind != "data"},
    "weights": {**_FIRST_STEPS, "config": 88, "data": 1},
}


def weights_at(first: FirstDifference, cause: FirstCause | None) -> dict[Kind, int]:
    """Return the weight of each kind of difference; a kind without one is unlikely."""
    known = _BY_FIRST_CAUSE.get(cause.what) if cause is not None else None
    return known or _BY_STAGE[first.stage]


def weights_of_outputs(kinds: Set[OutputKind]) -> dict[Kind, int]:
    """Return the weight of each kind of difference if all weights are equal and results are not.

    With equal weights the data, or the code that evaluates, explains other values.
    """
    return _BY_FIRST_CAUSE["data"] if "batches" in kinds else _WITH_EQUAL_WEIGHTS


_WITH_EQUAL_WEIGHTS: dict[Kind, int] = {
    **_BY_FIRST_CAUSE["data"],
    "code": 94,
    "seed": 90,
    "switch": 60,
    "threads": 55,
}
