"""The cells of the notebook that is being recorded, written anew whenever the record is."""

from __future__ import annotations

from pathlib import Path

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.process.notebook import CellWatch, shell_of
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Cells, CellsFile, Command
from wandb_repro.manifest.request import RerunRequest
from wandb_repro.recording.source import why_no_code
from wandb_repro.recording.wandb_run import Run
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import cells_file, write_cells
from wandb_repro.store.local import read_manifest

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
    run: Run, host: Host, *, choice: str, capsule: Capsule, request: RerunRequest | None
) -> Notebook | Unavailable:
    """Return the notebook that this process is, or why its cells are not stored.

    Args:
        run: its settings may forbid it: cells are source code.
        host: the process.
        choice: ``code`` as ``init`` was given it.
        capsule: where the cells are written.
        request: in a rerun, what is repeated.
    """
    shell = shell_of(host.modules)
    if shell is None:
        return Unavailable(unavailable="it is no notebook")
    reason = "" if request is not None else why_no_code(choice, run)
    if reason:
        return Unavailable(unavailable=reason)
    local = choice == "local" if request is None else _stayed_local(request)
    return Notebook(CellWatch(shell), capsule, local=local)


def _stayed_local(request: RerunRequest) -> bool:
    """Tell whether the original's cells were kept on its machine; then the rerun's are, too."""
    command = guarded(
        lambda: read_manifest(Capsule(Path(request.capsule))).execution.command, "command"
    )
    cells = command.cells if isinstance(command, Command) else None
    return isinstance(cells, CellsFile) and cells.kept == "local"
