"""Notices training, inside a ``fit`` or in a loop, by the calls that each library has for it.

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

Hook = Callable[[Any, Notice], Undo]


def hook_steps(library: ModuleType, notice: Notice) -> Undo:
    """Call ``notice`` with each step of the optimizers of a library; return what ends that.

    Args:
        library: the imported module, one of ``LIBRARIES``; one with only its name is left alone.
        notice: called before or after the step.
    """
    return _hook(LIBRARIES, library, notice)


def hook_training(library: ModuleType, notice: Notice) -> None:
    """Call ``notice`` as ``hook_steps`` does, and with each gradient that is computed.

    A loop may apply its gradients without an optimizer: ``weights.assign_sub(rate * gradient)``.

    Args:
        library: the imported module, one of ``TRAINING``.
        notice: called before or after the step or the gradient.
    """
    for hooks in (LIBRARIES, _GRADIENTS):
        if library.__name__ in hooks:
            _hook(hooks, library, notice)


def _hook(hooks: dict[str, Hook], library: ModuleType, notice: Notice) -> Undo:
    try:
        return hooks[library.__name__](library, notice)
    except AttributeError:  # a module of the script, or a version without this
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


def _tensorflow_gradients(library: Any, notice: Notice) -> Undo:
    return _before(library.GradientTape, "gradient", notice)


def _torch_gradients(library: Any, notice: Notice) -> Undo:
    return _before(library.Tensor, "backward", notice)


def _jax_gradients(library: Any, notice: Notice) -> Undo:
    undo = [_before(library, name, notice) for name in ("grad", "value_and_grad")]
    return lambda: [each() for each in undo]


LIBRARIES: dict[str, Hook] = {
    "keras": _keras,
    "tf_keras": _keras,
    "torch": _torch,
    "optax": _optax,
}
"""By module: the function that hooks the steps of its optimizers."""

_GRADIENTS: dict[str, Hook] = {
    "tensorflow": _tensorflow_gradients,
    "torch": _torch_gradients,
    "jax": _jax_gradients,
}
"""By module: the function that hooks its gradients."""

TRAINING = frozenset({*LIBRARIES, *_GRADIENTS})
"""Modules in which ``hook_training`` notices something."""


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
