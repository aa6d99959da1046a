"""Stands in for IPython's shell in a notebook, as far as it is asked."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

__all__ = ["FakeShell"]


class FakeShell:
    """A kernel's shell. Its history begins with an empty text, as IPython's does."""

    def __init__(self, *sources: str, failed: dict[int, str] | None = None) -> None:
        self.kernel = object()
        self.user_ns: dict[str, Any] = {"_dh": ["/project/notebooks", "/elsewhere"]}
        self.history_manager: Any = SimpleNamespace(input_hist_raw=["", *sources])
        if failed is not None:
            self.history_manager.exceptions = {at: {"ename": failed[at]} for at in failed}
        self.execution_count = len(sources) + 1
        self.events: Any = self
        self._hooks: list[tuple[str, Callable[[Any], None]]] = []

    @property
    def modules(self) -> dict[str, ModuleType]:
        """``sys.modules`` of its process."""
        ipython: Any = ModuleType("IPython")
        ipython.get_ipython = lambda: self
        return {"IPython": ipython}

    @property
    def watched(self) -> bool:
        """Whether somebody listens."""
        return bool(self._hooks)

    def register(self, event: str, hook: Callable[[Any], None]) -> None:
        """Call a function at an event."""
        self._hooks.append((event, hook))

    def unregister(self, event: str, hook: Callable[[Any], None]) -> None:
        """Call it no more."""
        self._hooks.remove((event, hook))

    def execute(self, source: str, error: Exception | None = None, *, silent: bool = False) -> None:
        """Execute a cell."""
        info = SimpleNamespace(raw_cell=source, store_history=not silent, silent=silent)
        self._tell("pre_run_cell", info)
        self.finish(source, error)

    def finish(self, source: str, error: Exception | None = None) -> None:
        """End the execution of a cell."""
        result = SimpleNamespace(error_before_exec=None, error_in_exec=error)
        result.info = SimpleNamespace(raw_cell=source)
        self._tell("post_run_cell", result)

    def _tell(self, event: str, told: object) -> None:
        for name, hook in tuple(self._hooks):
            if name == event:
                hook(told)
