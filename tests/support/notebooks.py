"""Notebooks, executed for real by nbclient in an IPython kernel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import nbclient
import nbformat

from tests.support.recorded import NUMBERS, newcomer

__all__ = ["CELLS", "INIT", "SETUP", "TRAIN", "executed", "printed"]

_INIT, _, _REST = NUMBERS.replace("sys.argv[1:]", "()").partition("session = find")
_SETUP, _, _TRAIN = f"session = find{_REST}".partition("session.begin_fit(None)\n")
INIT, SETUP, TRAIN = _INIT.rstrip("\n"), _SETUP.rstrip("\n"), f"session.begin_fit(None)\n{_TRAIN}"
"""The training of four numbers: imports and ``init``, then weights, then what ``fit`` does."""

CELLS = (
    "%load_ext autoreload\n%autoreload 2\n%env FIRST=1\nimport numpy as np",
    "size = np.sum(SIZE)",
    "%run constants.py",
    "words = !echo two words",
    INIT,
    "if True:\n    %pip install --help",
    "weight = 1",
    SETUP,
    "np.save('of_no_name', weihgt)",
    "size = np.sum(SIZE)",
    "%time weights += size",
    TRAIN.rstrip("\n"),
    "for epoch in range(2): print(epoch)",
)
"""As people work: with magics, a script, a command of the shell, and cells that fail."""


def executed(
    folder: Path,
    cells: Sequence[str],
    *,
    allow_errors: bool = False,
    name: str = "digits.ipynb",
    **environ: str,
) -> list[Any]:
    """Execute cells in a new kernel that begins in a folder; return them with their outputs.

    The notebook's file is written there first, as somebody's editor would. A cell that fails ends
    it, unless ``allow_errors``, as for somebody who goes on by hand.
    """
    v4: Any = cast("Any", nbformat).v4
    notebook: Any = v4.new_notebook(cells=[v4.new_code_cell(source) for source in cells])
    (folder / name).write_text(cast("Any", nbformat).writes(notebook))
    client: Any = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=100,
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=newcomer(**{"WANDB_DIR": str(folder), **environ}))
    return list(notebook.cells)


def printed(cells: Sequence[Any]) -> str:
    """Return all that the cells printed."""
    outputs = [output for cell in cells for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs)
