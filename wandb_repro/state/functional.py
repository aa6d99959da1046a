"""Notices gradients whose training may be in no variable: JAX's, and those of plain tensors.

Such a training keeps its state in arrays that only the script knows. Nothing at the end of the run
can read them, so that equal models would prove nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from types import FrameType, ModuleType
from typing import Any

from wandb_repro.manifest.trail_records import Trainable, owner_name
from wandb_repro.state.registry import Registry

_JAX = (
    "JAX computed gradients outside of fit, and no model holds what they trained: "
    "pass it to wandb_repro.watch in the loop, watch.step(state)"
)
_TORCH = (
    "PyTorch computed gradients, and no module and no optimizer holds what they trained: "
    "pass the tensors to wandb_repro.watch"
)


def watch_gradients_of_jax(registry: Registry, jax: ModuleType) -> None:
    """Note calls of ``jax.grad`` and ``jax.value_and_grad`` that are not those of Keras' fit."""
    library: Any = jax
    if not (hasattr(library, "grad") and hasattr(library, "value_and_grad")):
        return  # a module of the script that has JAX's name
    for name in ("grad", "value_and_grad"):
        setattr(library, name, _noted(registry, getattr(library, name)))


def _noted(registry: Registry, real: Any) -> Any:
    @functools.wraps(real)
    def wrapped(*positional: Any, **options: Any) -> Any:
        if "jax" not in registry.gradients and not _is_in_fit(inspect.currentframe()):
            registry.gradients.add("jax")
        return real(*positional, **options)

    return wrapped


def _is_in_fit(frame: FrameType | None) -> bool:
    """Tell whether Keras is among the callers: outside of ``fit`` it calls nothing that trains."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "keras":
            return True
        frame = frame.f_back
    return False


def watch_stateless_apply(registry: Registry, optimizer: Any) -> None:
    """Note optimizers of Keras whose new state is returned; the script may put it back."""
    real = getattr(optimizer, "stateless_apply", None)
    if real is None:
        return

    @functools.wraps(real)
    def wrapped(self: Any, *positional: Any, **options: Any) -> Any:
        registry.stateless.add(self)
        return real(self, *positional, **options)

    optimizer.stateless_apply = wrapped


def watch_gradients_of_torch(registry: Registry, torch: ModuleType) -> None:
    """Note calls of ``Tensor.backward``."""
    tensor: Any = getattr(torch, "Tensor", None)
    real = getattr(tensor, "backward", None)
    if real is None:
        return

    @functools.wraps(real)
    def wrapped(self: Any, *positional: Any, **options: Any) -> Any:
        registry.gradients.add("torch")
        return real(self, *positional, **options)

    tensor.backward = wrapped


def state_in_no_variable(registry: Registry, things: Iterable[Trainable]) -> list[str]:
    """Return what was trained and is in nothing that the registry knows, in words.

    Args:
        registry: what the process made.
        things: what was digested at the end; an optimizer that has counted steps there got its new
            state back from the script, and with it the model.
    """
    if registry.has_watched_state:
        return []
    steps = {
        owner_name(thing.kind, thing.number, thing.thread): thing.steps or 0
        for thing in things
        if thing.kind == "optimizer"
    }
    names = [registry.owner_name("optimizer", optimizer) for optimizer in registry.stateless]
    written_back = [steps.get(name, 0) > 0 for name in names]
    notes: list[str] = []
    if "jax" in registry.gradients and not (written_back and all(written_back)):
        notes.append(_JAX)
    if "torch" in registry.gradients and not registry.made("module", "optimizer"):
        notes.append(_TORCH)
    return notes
