"""The cells that a notebook executed, in order, from IPython's history.

The notebook's file is not read: it has cells in the order of the page and edits that were never
executed, and does not say how often each ran. IPython is never imported, only used if loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol, cast

from wandb_repro.capture.secrets.redact_code import redact_source
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Cell

RUNNER = "wandb_repro.notebook"
"""The module that executes the cells in a rerun."""

_NOT_REPORTED = Unavailable(unavailable="this version of IPython does not report it")


class Shell(Protocol):
    """The part of IPython's ``InteractiveShell`` that is used here."""

    history_manager: Any
    events: Any
    user_ns: dict[str, Any]
    execution_count: int


def shell_of(modules: Mapping[str, ModuleType]) -> Shell | None:
    """Return the shell if this process is a notebook; None for scripts and for a prompt.

    Args:
        modules: ``sys.modules``.
    """
    ipython: Any = modules.get("IPython")
    shell: Any = ipython.get_ipython() if hasattr(ipython, "get_ipython") else None
    is_notebook = hasattr(shell, "kernel") or hasattr(shell, "repeats_notebook")
    return cast("Shell", shell) if is_notebook else None


def name_of_notebook(shell: Shell, environ: Mapping[str, str]) -> str:
    """Return the path of the notebook's file if it is known, else ``notebook``.

    Source: VS Code sets ``__vsc_ipynb_file__`` in the notebook's names, Jupyter Server 2 the
    variable ``JPY_SESSION_NAME``; nbclient and Colab set neither.
    """
    path = shell.user_ns.get("__vsc_ipynb_file__") or environ.get("JPY_SESSION_NAME", "")
    return str(path) if str(path).endswith(".ipynb") else "notebook"


class CellWatch:
    """The cells that were executed so far, and those executed from now on."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._cells = _history(shell)
        self._hooks: tuple[tuple[str, Callable[[Any], None]], ...] = (
            ("pre_run_cell", self._begins),
            ("post_run_cell", self._ended),
        )
        for event, hook in self._hooks:
            shell.events.register(event, hook)

    def cells(self) -> tuple[tuple[Cell, ...], tuple[int, ...]]:
        """Return the cells without credentials, and the numbers (from 1) of redacted cells."""
        cells = tuple(self._cells)
        redacted = tuple(
            cell.model_copy(update={"source": redact_source(cell.source)}) for cell in cells
        )
        pairs = enumerate(zip(redacted, cells, strict=True), start=1)
        return redacted, tuple(
            number for number, (after, before) in pairs if after.source != before.source
        )

    def close(self) -> None:
        """Watch no further cells."""
        for event, hook in self._hooks:
            self._shell.events.unregister(event, hook)
        self._hooks = ()

    def _begins(self, info: Any) -> None:
        if info.store_history and not info.silent:
            self._cells.append(Cell(source=_plain(info.raw_cell)))

    def _ended(self, result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        same = self._cells and self._cells[-1].source == _plain(result.info.raw_cell)
        if error is not None and same:
            raised = type(error).__name__
            self._cells[-1] = self._cells[-1].model_copy(update={"raised": raised})


def _history(shell: Shell) -> list[Cell]:
    """Return the cells executed so far; the last one is running now.

    NOTE: ``%reset`` empties the history, and deletes the names that earlier cells defined.
    """
    sources: Sequence[str] = shell.history_manager.input_hist_raw[1:]
    failed: Mapping[int, Any] | None = getattr(shell.history_manager, "exceptions", None)
    if failed is None or len(sources) not in (shell.execution_count, shell.execution_count - 1):
        cells = [Cell(source=_plain(source), raised=_NOT_REPORTED) for source in sources]
        return [*cells[:-1], *(Cell(source=cell.source) for cell in cells[-1:])]
    return [
        Cell(source=_plain(source), raised=str(failed.get(at, {}).get("ename", "")))
        for at, source in enumerate(sources, start=1)
    ]


def _plain(source: str) -> str:
    return source.rstrip("\n")
