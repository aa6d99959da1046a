"""What came out of two runs besides their weights, and what a verdict on them covers."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import Record

OutputKind = Literal["batches", "loss", "metric", "logged", "summary", "config", "file", "ending"]


class OutputDifference(Record):
    """A result of training, or what it was trained on, that is not the same in two runs."""

    what: OutputKind
    key: str
    """Name of the metric, the logged key or the file: ``val_loss``."""
    where: str
    """The first place in words: ``step 3 (epoch 1)``, ``row 12``; empty where there is only one."""
    original: str
    """Its value in the original; ``not there`` if it is missing."""
    rerun: str
    places: int = 1
    """At how many places the two differ."""

    def __str__(self) -> str:
        """Return the difference in a sentence."""
        at = f" at {self.where}" if self.where else ""
        if self.what == "batches":
            return f"the batches{at} differ"
        if self.what == "ending":
            rerun = "" if self.rerun == "finished" else "with "
            return f"the original ended with {self.original}, the rerun {rerun}{self.rerun}"
        name = f"{self.what} {self.key}" if self.what in ("logged", "config", "file") else self.key
        return f"{name}{at}: {self.original} in the original, {self.rerun} in the rerun"


class Coverage(Record):
    """What was compared, and what was not."""

    models: int = 0
    optimizers: int = 0
    steps: int | None = None
    """Steps of all optimizers in the original; None if the trail does not say."""
    loop_steps: int = 0
    """Steps of its fits and loops, where no optimizer counts them, as in a loop of JAX."""
    other_state: int = 0
    """Modules, loose variables and tables."""
    rows: int = 0
    """Rows of the history that both runs logged."""
    keys: int = 0
    """Logged keys and metrics that were compared."""
    volatile: tuple[str, ...] = ()
    """Names that differ in every run, such as clocks: they were not compared."""
    files: int = 0
    not_compared: tuple[str, ...] = ()
    """What trained or came out and was not compared, in words."""
