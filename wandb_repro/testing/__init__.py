"""Assertions about a training, for a project's own tests.

    from wandb_repro.testing import assert_reproducible

    def test_training_repeats_itself() -> None:
        assert_reproducible(train, steps=20)

Importing this imports no framework and no W&B. A training is tested in a fresh process, where no
other test has used a random generator before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wandb_repro.testing.golden import assert_matches_golden
    from wandb_repro.testing.leakage import assert_no_leakage
    from wandb_repro.testing.learns import assert_learns
    from wandb_repro.testing.reproducible import assert_reproducible
    from wandb_repro.testing.resumes import assert_resumes_exactly
    from wandb_repro.testing.weights import assert_same_weights

__all__ = [
    "assert_learns",
    "assert_matches_golden",
    "assert_no_leakage",
    "assert_reproducible",
    "assert_resumes_exactly",
    "assert_same_weights",
]

_MODULES = {
    "assert_learns": "learns",
    "assert_matches_golden": "golden",
    "assert_no_leakage": "leakage",
    "assert_reproducible": "reproducible",
    "assert_resumes_exactly": "resumes",
    "assert_same_weights": "weights",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
