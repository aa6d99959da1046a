"""The cells of the notebook that is being recorded, written anew whenever the record is."""

from __future__ import annotations

from wandb_repro.capture.host import Host
from wandb_repro.capture.process.notebook import CellWatch, shell_of
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Cells, CellsFile
from wandb_repro.recording.mode import Mode
from wandb_repro.recording.wandb_run import Run
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import cells_file, write_cells

__all__ = ["Notebook", "notebook_of"]


class Notebook:
    """A notebook whose cells are recorded.

    Args:
        watch: what it executes.
        capsule: where its cells are written.
        local: whether they stay on this machine.
    """

    def __init__(self, watch: CellWatch, capsule: Capsule, *, local: bool) -> None:
        self._watch = watch
        self._capsule = capsule
        self._local = local
        self._written: tuple[Cells, CellsFile] | None = None

    def file(self) -> CellsFile:
        """Return the record of the cells executed so far, which are on the disk then.

        Raises:
            OSError: the disk does not take them, or they are too many.
        """
        executed, redacted = self._watch.cells()
        cells = Cells(cells=executed)
        if self._written is None or self._written[0] != cells:
            kept = "local" if self._local else "run"
            before, file = (
                self._written,
                write_cells(self._capsule, cells, redacted=redacted, kept=kept),
            )
            self._written = cells, file
            if before is not None and self._local:
                cells_file(self._capsule, before[1]).unlink(missing_ok=True)
        return self._written[1]

    def close(self) -> None:
        """Look no further."""
        self._watch.close()


def notebook_of(
    run: Run, host: Host, *, choice: str, capsule: Capsule, mode: Mode
) -> Notebook | Unavailable:
    """Return the notebook that this process is, or why its cells are not stored.

    Args:
        run: its settings may forbid it: cells are source code.
        host: the process.
        choice: ``code`` as ``init`` was given it.
        capsule: where the cells are written.
        mode: decides whether the cells are stored, and where.
    """
    shell = shell_of(host.modules)
    if shell is None:
        return Unavailable(unavailable="it is no notebook")
    kept = mode.cells_kept(run, choice)
    if isinstance(kept, Unavailable):
        return kept
    return Notebook(CellWatch(shell), capsule, local=kept == "local")
