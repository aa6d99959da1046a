"""Records the executed cells of a notebook, written whenever the manifest is."""

from __future__ import annotations

from wandb_repro.capture.host import Host
from wandb_repro.capture.process.notebook import CellWatch, shell_of
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Cells, CellsFile
from wandb_repro.recording.mode import Mode
from wandb_repro.recording.wandb_run import Run
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import cells_file, write_cells


class Notebook:
    """A notebook whose cells are recorded; if ``local``, they stay on this machine."""

    def __init__(self, watch: CellWatch, capsule: Capsule, *, local: bool) -> None:
        self._watch = watch
        self._capsule = capsule
        self._local = local
        self._written: tuple[Cells, CellsFile] | None = None

    def file(self) -> CellsFile:
        """Write the cells executed so far, and return a description of their file.

        Raises:
            OSError: the cells cannot be written, or are too many.
        """
        executed, redacted = self._watch.cells()
        cells = Cells(cells=executed)
        if self._written is None or self._written[0] != cells:
            kept = "local" if self._local else "run"
            before = self._written
            file = write_cells(self._capsule, cells, redacted=redacted, kept=kept)
            self._written = cells, file
            if before is not None and self._local:
                # A local file is named after its content, so the new one did not replace it.
                cells_file(self._capsule, before[1]).unlink(missing_ok=True)
        return self._written[1]

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()


def notebook_of(
    run: Run, host: Host, *, choice: str, capsule: Capsule, mode: Mode
) -> Notebook | Unavailable:
    """Return the notebook of this process, or why its cells are not stored.

    ``choice`` is the ``code`` option of ``init``.
    """
    shell = shell_of(host.modules)
    if shell is None:
        return Unavailable(unavailable="not a notebook")
    kept = mode.cells_kept(run, choice)
    if isinstance(kept, Unavailable):
        return kept
    return Notebook(CellWatch(shell), capsule, local=kept == "local")
