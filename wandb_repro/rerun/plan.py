"""Plans a rerun, so that everything is shown before anything is done. Pure: reads no disk."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.command import Cells, CellsFile
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.cells import PlannedCells, plan_cells
from wandb_repro.rerun.data_sources import ARE_MISSING, HAVE_CHANGED, refuse_faults
from wandb_repro.rerun.found_inputs import FoundInputs
from wandb_repro.rerun.parts import Parts, parts_of
from wandb_repro.rerun.path_map import (
    MOST_LEVELS_UP,
    code_folder,
    is_absolute,
    levels_up,
    mirrored,
    path_in_tree,
)
from wandb_repro.rerun.planned_inputs import Inputs, plan_inputs
from wandb_repro.rerun.restore_extra import folders_up
from wandb_repro.rerun.start_command import credentials_of, start_command
from wandb_repro.rerun.start_variables import start_variables


@dataclass(frozen=True)
class Plan:
    """A rerun, ready to be shown and started."""

    manifest: Manifest
    parts: Parts
    inputs: Inputs
    work: Path
    """New folder: everything that we write is below it."""
    code: Path
    """Where the tree is restored."""
    cwd: Path
    """Where it starts, in the new folder. One outside the tree keeps its relative path."""
    arguments: tuple[str, ...]
    """What follows the interpreter, as it is shown: flags, target, arguments, credentials cut."""
    credentials: Mapping[int, str]
    """Complete arguments with a credential, by their position in ``arguments``."""
    console_place: int | None
    """Position of an installed command's name in ``arguments``; None for any other start."""
    switches: dict[str, str]
    """Variables that are set."""
    python_path: tuple[Path, ...] = ()
    """Restored folders that are added to the module search path."""
    cells: PlannedCells | None = None
    """Cells of a notebook, if they were read."""

    def started_with(self, python: Path) -> list[str]:
        """Return the command line; an installed command is from the interpreter's folder."""
        words = [self.credentials.get(at, word) for at, word in enumerate(self.arguments)]
        if self.console_place is not None:
            words[self.console_place] = str(python.parent / words[self.console_place])
        return [str(python), *words]

    @property
    def cells_file(self) -> Path:
        """File of the cells that are executed."""
        return _cells_file(self.work)

    @property
    def environment_folder(self) -> Path:
        """Where a rebuilt environment goes."""
        return self.work / "env"

    @property
    def tree_folder(self) -> Path:
        """Folder of the tree, and of the folders above it that the script looks into."""
        return self.work / "tree"


def make_plan(
    manifest: Manifest,
    work: Path,
    found: FoundInputs,
    *,
    threads: int | None = None,
    sets: Mapping[str, str] | None = None,
    values: Mapping[int, str] | None = None,
    allow_missing: bool = False,
    ask_values: bool = True,
    cells: Cells | None = None,
) -> Plan:
    """Return what a rerun of this record will do.

    Args:
        manifest: the record.
        work: new folder for the rerun, absolute.
        found: the original's input files, as they are on this disk.
        threads: intra-op threads instead of the recorded number.
        sets: switches instead of the recorded ones, by name.
        values: arguments that were credentials and are not recorded, by position.
        allow_missing: continue although files that the original read are missing.
        ask_values: refuse if an argument that was cut out is not in ``values``.
        cells: executed cells of a notebook; ``values`` are then by cell number.

    Raises:
        RefusedError: it cannot be started; the message says what is missing.
        InconclusiveError: files that the original used have changed.
        UsageError: a position in ``values`` was not cut out.
    """
    parts = parts_of(manifest)
    inputs = plan_inputs(manifest, parts.code, found)
    if not allow_missing:
        at_fault = (*inputs.data.named("missing"), *inputs.data.named("changed"))
        refuse_faults(
            {ARE_MISSING: inputs.missing, HAVE_CHANGED: inputs.changed},
            [source.name for source in at_fault if source.place is not None],
        )
    up = max(inputs.up, folders_up(parts.code), _levels_up_to_folder(parts))
    tree = work / "tree"
    code = code_folder(tree, parts.code.root, up)
    cwd = _working_folder(parts, code, tree)
    start = start_command(
        parts.command, parts.code.root, code=code, cwd=cwd, cells=_cells_file(work)
    )
    planned = None if cells is None else _cells(parts, cells, values or {}, ask=ask_values)
    credentials = {} if planned else credentials_of(parts.command, values or {}, ask=ask_values)
    return Plan(
        manifest=manifest,
        parts=parts,
        inputs=inputs,
        work=work,
        code=code,
        cwd=cwd,
        arguments=start.words,
        credentials={start.own_arguments_at + at: word for at, word in credentials.items()},
        console_place=start.console_place,
        switches={**start_variables(manifest, parts.command, threads), **(sets or {})},
        cells=planned,
        python_path=tuple(_python_path(parts, code, tree)),
    )


def _cells_file(work: Path) -> Path:
    return work / "cells.json"


def _cells(parts: Parts, cells: Cells, values: Mapping[int, str], *, ask: bool) -> PlannedCells:
    file = parts.command.cells
    if not isinstance(file, CellsFile):
        raise UsageError("The record is not of a notebook.")
    return plan_cells(cells, file, values, ask=ask)


def _levels_up_to_folder(parts: Parts) -> int:
    """Return how many folders above the tree the path to the working directory goes."""
    recorded = parts.command.working_directory
    if not is_absolute(recorded):
        return 0
    up = levels_up(posixpath.relpath(recorded, parts.code.root))
    if up > MOST_LEVELS_UP:
        raise RefusedError(
            f"The original ran in {recorded[:200]}, far outside its source tree.",
            hint="Start it from its source tree, or from a folder near it, and record it again.",
        )
    return up


def _working_folder(parts: Parts, code: Path, within: Path) -> Path:
    """Return the working directory: the original's, moved along with the restored tree."""
    recorded = parts.command.working_directory
    if not is_absolute(recorded):
        return path_in_tree(code, recorded)
    # Never the recorded folder itself, even if it exists: files in it belong to somebody.
    folder = mirrored(recorded, parts.code.root, code, within)
    if folder is None:
        raise RefusedError(f"The record's working directory {recorded[:200]!r} leaves its tree.")
    return folder


def _python_path(parts: Parts, code: Path, within: Path) -> Iterator[Path]:
    """Yield the folders of the original's PYTHONPATH that the new folder holds, each once."""
    seen: set[Path] = set()
    for folder in parts.command.python_path:
        if not is_absolute(folder) or os.pathsep in folder:
            raise RefusedError(f"The record names an invalid PYTHONPATH: {folder[:80]!r}.")
        restored = mirrored(folder, parts.code.root, code, within)
        if restored is not None and restored not in seen:
            seen.add(restored)
            yield restored
