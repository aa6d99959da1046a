"""Runs code right after the script imports a framework, without importing it ourselves.

TensorFlow can only be seeded after it is imported, and a script that does not use it should not
wait seconds for the import.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.messages import warn_once
from wandb_repro.recording.process_state import Action, process


def after_import(name: str, action: Action) -> bool:
    """Call ``action`` with the module: now if it is imported, else right after its import.

    If the action fails, a warning is printed and the import continues.

    Args:
        name: of a module; one in a package only after its package was imported.
        action: called once.

    Returns:
        Whether the module was imported already.
    """
    module = sys.modules.get(name)
    if module is not None:
        _act(action, module)
        return True
    process.import_actions.setdefault(name, []).append(action)
    if not any(isinstance(finder, _Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch())
    return False


def _act(action: Action, module: ModuleType) -> None:
    done = guarded(lambda: action(module), f"setting up {module.__name__}")
    if isinstance(done, Unavailable):
        warn_once(f"not done, training continues: {done}")


class _Watch(MetaPathFinder):
    """Finds the watched modules like any other finder, and wraps their loaders.

    It is in ``sys.meta_path`` only while a module is awaited. ``importlib.util.find_spec``, which
    many libraries call to see whether a module is installed, does not trigger the actions.
    """

    def __init__(self) -> None:
        self._search = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in process.import_actions or getattr(self._search, "is_ours", False):
            return None
        self._search.is_ours = True
        try:
            spec = find_spec(fullname)
        finally:
            self._search.is_ours = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.imported)
        return spec

    def imported(self, module: ModuleType) -> None:
        actions = process.import_actions.pop(module.__name__, [])
        if not process.import_actions and self in sys.meta_path:
            sys.meta_path.remove(self)
        for action in actions:
            _act(action, module)


class _Loader(Loader):
    """Loads with the real loader, restores it in the module, then calls back."""

    def __init__(self, real: Loader, callback: Action) -> None:
        self._real = real
        self._callback = callback

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._real
        module.__loader__ = self._real
        # TensorFlow and Keras import rich, which draws from Python's random on its first import:
        # the same seed would give different weights, depending on which module imports it first.
        # Source: measured, TensorFlow 2.21 and rich's style.py.
        state = random.getstate()
        lazy = type(module)
        try:
            self._real.exec_module(module)
        finally:
            random.setstate(state)
        if lazy is not ModuleType and type(module) is lazy:
            # wandb imports NumPy lazily and turns the module into a plain one only after this
            # returns; until then, attributes from the module's own __getattr__, such as
            # numpy.random, are missing (wandb 0.31, NumPy 2).
            module.__class__ = ModuleType
        self._callback(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
