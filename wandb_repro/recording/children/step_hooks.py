"""Notices steps of optimizers: of Keras, PyTorch and Optax, inside a ``fit`` or in a loop.

It needs the standard library only: it also runs in processes of other environments.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

Notice = Callable[[], object]
"""Called with each step, or once where a compiled function takes many. It must not raise."""

Undo = Callable[[], object]


def hook_steps(library: ModuleType, notice: Notice) -> Undo:
    """Call ``notice`` with each step of the optimizers of a library; return what ends that.

    Args:
        library: the imported module, one of ``LIBRARIES``; one with only its name is left alone.
        notice: called before or after the step.
    """
    try:
        return LIBRARIES[library.__name__](library, notice)
    except AttributeError:  # a module of the script, or a version without such optimizers
        return _nothing


def _nothing() -> None:
    """Undo nothing."""


def _keras(library: Any, notice: Notice) -> Undo:
    kind = library.optimizers.Optimizer
    # Keras 2 has no ``apply``; in Keras 3 every way to make a step ends there.
    undo = [_before(kind, "apply" if hasattr(kind, "apply") else "apply_gradients", notice)]
    legacy = getattr(getattr(library.optimizers, "legacy", None), "Optimizer", None)
    if hasattr(legacy, "apply_gradients"):
        undo.append(_before(legacy, "apply_gradients", notice))
    return lambda: [each() for each in undo]


def _torch(library: Any, notice: Notice) -> Undo:
    def noticed(*_: object) -> None:  # PyTorch would take anything else for new arguments
        notice()

    return library.optim.optimizer.register_optimizer_step_post_hook(noticed).remove


def _optax(library: Any, notice: Notice) -> Undo:
    return _before(library, "apply_updates", notice)


LIBRARIES: dict[str, Callable[[Any, Notice], Undo]] = {
    "keras": _keras,
    "tf_keras": _keras,
    "torch": _torch,
    "optax": _optax,
}
"""By module: the function that hooks it."""


def _before(owner: Any, name: str, notice: Notice) -> Undo:
    real = getattr(owner, name)
    attributes: dict[str, Any] = owner.__dict__
    own = attributes.get(name)

    # Its module is still the library's, so TensorFlow does not try to convert its code to a graph.
    @functools.wraps(real)
    def noticed(*positional: Any, **options: Any) -> Any:
        notice()
        return real(*positional, **options)

    def undo() -> None:
        if attributes.get(name) is noticed:
            delattr(owner, name)
            if own is not None:
                setattr(owner, name, own)

    setattr(owner, name, noticed)
    return undo
