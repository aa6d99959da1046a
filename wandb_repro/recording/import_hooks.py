"""Do something as soon as a framework has been imported, without importing it ourselves.

A seed that is set before TensorFlow exists must be set again when it does. Importing it here
would make every script pay for it, also one that only has it installed.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.messages import warn_once

__all__ = ["after_import"]

Action = Callable[[ModuleType], None]


def after_import(name: str, action: Action) -> bool:
    """Run ``action`` with the module: at once if it is imported, else right after it is.

    An action that fails is told of, and the import goes on.

    Args:
        name: of a top-level module.
        action: what is done, once.

    Returns:
        Whether it was imported already.
    """
    module = sys.modules.get(name)
    if module is not None:
        _act(action, module)
        return True
    _watch.wait_for(name, action)
    return False


def _act(action: Action, module: ModuleType) -> None:
    done = guarded(lambda: action(module), f"what follows the import of {module.__name__}")
    if isinstance(done, Unavailable):
        warn_once(f"not done, training goes on: {done}")


class _Watch(MetaPathFinder):
    """Finds the awaited modules as everybody else does, and wraps how they are loaded.

    It stands in ``sys.meta_path`` only while something is awaited. Looking for a module without
    importing it, as ``importlib.util.find_spec`` does for many libraries, ends no waiting.
    """

    def __init__(self) -> None:
        self._actions: dict[str, list[Action]] = {}
        self._looking = threading.local()

    def wait_for(self, name: str, action: Action) -> None:
        self._actions.setdefault(name, []).append(action)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._actions or getattr(self._looking, "now", False):
            return None
        self._looking.now = True
        try:
            spec = find_spec(fullname)
        finally:
            self._looking.now = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.imported)
        return spec

    def imported(self, module: ModuleType) -> None:
        actions = self._actions.pop(module.__name__, [])
        if not self._actions and self in sys.meta_path:
            sys.meta_path.remove(self)
        for action in actions:
            _act(action, module)


_watch = _Watch()


class _Loader(Loader):
    """Loads as the real loader does, puts that back in its place, then tells.

    Python's ``random`` is left as it was before.
    NOTE: TensorFlow and Keras import ``rich``, which draws from it while it is imported, but only
    if nobody imported it before: the same seed would give other weights after another import.
    Source: measured, TensorFlow 2.21 and rich's style.py.
    """

    def __init__(self, real: Loader, tell: Action) -> None:
        self._real = real
        self._tell = tell

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._real
        module.__loader__ = self._real
        state = random.getstate()
        lazy = type(module)
        try:
            self._real.exec_module(module)
        finally:
            random.setstate(state)
        if lazy is not ModuleType and type(module) is lazy:
            # NOTE: who imports lazily, as wandb does NumPy, makes the module a plain one only when
            # this returns; until then it does not find what its own __getattr__ gives, as
            # ``numpy.random`` (wandb 0.31, NumPy 2).
            module.__class__ = ModuleType
        self._tell(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
