"""Executes the cells of a notebook again: ``python -m wandb_repro.notebook CELLS NAME``.

The cells run in order in a new IPython shell, as in the original's kernel: magics and shell
commands work, and displayed output is printed. The first cell that fails ends the rerun, unless the
same cell failed in the original, too.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from wandb_repro.errors import ManifestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Cell, Cells
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.messages import say
from wandb_repro.recording.process_exit import note_stop

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


_USAGE = "usage: python -m wandb_repro.notebook CELLS NAME"


def main(arguments: list[str]) -> None:
    """Execute the cells of a file; the arguments are the file and the notebook's name.

    Raises:
        SystemExit: 2 if the file cannot be read, 1 if a cell fails that did not in the original.
    """
    if len(arguments) != 2:
        _end(_USAGE, 2)
    file = Path(arguments[0])
    cells = _read(file)
    sys.argv = arguments[1:]
    _search_here_after_the_library()
    shell = _new_shell(file.parent / "ipython")
    for number, cell in enumerate(cells.cells, start=1):
        _execute(shell, number, cell)


def _end(message: str, exit_code: int) -> NoReturn:
    say(message, logging.ERROR)
    raise SystemExit(exit_code)


def _read(file: Path) -> Cells:
    try:
        return Cells.from_bytes(file.read_bytes())
    except OSError as error:
        _end(f"{file} cannot be read: {error.strerror}", 2)
    except ManifestError as error:
        _end(f"{error.message} {error.hint}".strip(), 2)


def _search_here_after_the_library() -> None:
    """Search for modules in the same order as a kernel does.

    Source: IPython 9, ``InteractiveShellApp.init_path``; ipykernel 7, ``ipykernel_launcher``.
    """
    if getattr(sys.flags, "safe_path", False) or sys.flags.isolated:
        return
    del sys.path[0]  # where ``-m`` put the working directory
    installed = ("site-packages", "dist-packages")
    indices = [index for index, path in enumerate(sys.path) if path.endswith(installed)]
    sys.path.insert(indices[0] if indices else 0, "")


def _new_shell(folder: Path) -> InteractiveShell:
    """Return a shell that writes nothing into the user's folders."""
    try:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config
    except ImportError:
        _end("the run was a notebook, and this environment has no IPython; pip install ipython", 1)

    class Shell(InteractiveShell):
        """A shell without a prompt, a screen or a history file."""

        repeats_notebook = True

        def enable_gui(self, gui: str | None = None) -> None:
            """Do nothing: there is no screen."""

        def showtraceback(self, *arguments: Any, **options: Any) -> None:
            """Show the traceback, unless the rerun was stopped on purpose."""
            if not isinstance(sys.exc_info()[1], RerunStopped):
                super().showtraceback(*arguments, **options)

    folder.mkdir(exist_ok=True)
    os.environ["IPYTHONDIR"] = str(folder)
    os.environ.setdefault("MPLBACKEND", "agg")
    # IPython prints this advice on SystemExit, which is how a rerun ends.
    warnings.filterwarnings("ignore", "To exit: use", UserWarning)
    config: Any = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    instance: Callable[..., InteractiveShell] = Shell.instance
    return instance(config=config)


def _execute(shell: InteractiveShell, number: int, cell: Cell) -> None:
    run_cell: Callable[..., Any] = cast("Any", shell).run_cell
    result = run_cell(cell.source, store_history=True)
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    if error is None:
        return
    if isinstance(error, RerunStopped):
        raise SystemExit(error.code)
    if isinstance(error, KeyboardInterrupt):
        raise error
    kind = type(error).__name__
    if isinstance(cell.raised, Unavailable) or cell.raised == kind:
        # Without a recorded outcome the cell may have failed in the original as well.
        say(f"cell {number} raised {kind}; the original continued, and so does the rerun")
        return
    note_stop(error)
    _end(f"cell {number} raised {kind}, which it did not in the original", 1)


if __name__ == "__main__":
    main(sys.argv[1:])
