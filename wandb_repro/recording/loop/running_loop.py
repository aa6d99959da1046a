"""A loop of one's own, as a recorder reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.machine.loop_config import LoopModels
from wandb_repro.capture.weights import Variable
from wandb_repro.errors import ReproError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.fit.fit_recorder import UNBUILT
from wandb_repro.recording.process_state import process
from wandb_repro.state.batch import arrays_in
from wandb_repro.state.jax_state import PytreeReader
from wandb_repro.state.watched import Watched, in_order
from wandb_repro.state.whole_state import FOREIGN_ERRORS

Take: TypeAlias = Callable[[int, "tuple[Any, ...] | Unavailable"], None]

NOTHING = (
    "nothing is watched: pass the models to wandb_repro.watch(...), or the state to watch.step(...)"
)
_LATE = (
    "the first step ran before the watch began; use watch.batches(dataset), "
    "or write the loop inside `with watch:`"
)
_NO_STATE = "the state comes with the first watch.step(state)"
_NO_BATCHES = Unavailable(unavailable="the loop does not use watch.batches(dataset)")
_NOT_KNOWN = Unavailable(unavailable="a loop does not tell when a step begins")


class NothingWatchedError(ReproError):
    """There are neither models nor a state to read."""


class RunningLoop:
    """What a loop trains, the batches that it took, and where it is.

    Args:
        watched: models and optimizers.
        late: whether the first step ran before this was made.
    """

    losses = "the values passed to watch.step"
    steps_at_once = 1
    arguments: Mapping[str, object] = MappingProxyType({})

    def __init__(self, watched: Watched, *, late: bool) -> None:
        self._watched = watched
        self._late = late
        self._state: object = None
        self._has_state = False
        if watched.has_arrays:
            process.registry.has_watched_state = True
        self._pytree = PytreeReader()
        self.steps_per_epoch = 0
        """Steps of this epoch that are complete: more are not known."""
        self._batches = 0
        self._since_step = 0
        self._takes: list[tuple[Take, int | None]] = []

    @property
    def model(self) -> LoopModels:
        """The models and optimizers that the loop trains."""
        return LoopModels(self._watched.models, self._watched.optimizers)

    def missing_initial(self) -> str:
        """Return why the initial state cannot be read; empty if it can."""
        if not self._watched:
            return _NO_STATE
        if self._late:
            return _LATE
        return "" if self._watched.is_built() else UNBUILT

    def changes_between_steps(self) -> Unavailable:
        """Return why changes between steps are not told from those of a step."""
        return _NOT_KNOWN

    def watch(self, take: Take, at_most: int | None = None) -> Unavailable | None:
        """Show each batch of an epoch to ``take``, at most this many; return why not, if so."""
        if self._late:
            return _NO_BATCHES
        self._takes.append((take, at_most))
        return None

    def show(self, batch: object) -> None:
        """Take a batch that the loop is about to train on."""
        number = self._batches
        self._batches += 1
        self._since_step += 1
        takes = [take for take, at_most in self._takes if at_most is None or number < at_most]
        if takes:
            arrays = guarded(lambda: arrays_in(batch), "a batch", expects=FOREIGN_ERRORS)
            for take in takes:
                take(number, arrays)

    def batches_in(self, steps: int) -> int:
        """Return how many batches were taken since the step before."""
        del steps
        taken, self._since_step = self._since_step, 0
        return taken

    def step_done(self, state: object) -> None:
        """Note that a step is complete, and its state, unless that is None."""
        self.steps_per_epoch += 1
        if state is not None:
            self._state, self._has_state = state, True
            process.registry.has_watched_state = True

    def passed_state(self) -> tuple[bool, object]:
        """Return whether the last step passed a state, and that state."""
        return self._has_state, self._state

    def epoch_ended(self) -> None:
        """Note that the next batch and the next step are an epoch's first."""
        self.steps_per_epoch = self._batches = self._since_step = 0

    def read(self, *, anew: bool) -> list[Variable]:
        """Return what is watched and the state of the last step, on the host.

        Raises:
            NothingWatchedError: there is neither.
        """
        if not self._watched and not self._has_state:
            raise NothingWatchedError(NOTHING)
        found = self._watched.read(anew=anew) if self._watched else []
        if self._has_state:
            found = in_order([*found, *self._pytree.read(self._state)])
        return found
