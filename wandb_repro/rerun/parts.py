"""The parts of a record that a rerun requires."""

from __future__ import annotations

from dataclasses import dataclass

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.command import CellsFile, Command
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.path_map import is_absolute


@dataclass(frozen=True)
class Parts:
    """The parts of a manifest that a rerun requires."""

    command: Command
    code: Code
    packages: Packages


def parts_of(manifest: Manifest) -> Parts:
    """Return the parts that a rerun requires.

    Raises:
        RefusedError: the record lacks one, or more than one process trained.
    """
    execution = manifest.execution
    if execution.world_size > 1:
        raise RefusedError(
            f"The original trained in {execution.world_size} processes together; "
            "only runs of one process can be rerun."
        )
    command, code, packages = execution.command, execution.code, execution.packages
    if isinstance(command, Unavailable):
        raise _missing("how it was started", command)
    if command.kind == "notebook" and not isinstance(command.cells, CellsFile):
        why = command.cells or Unavailable(unavailable="they were not written")
        raise _missing("the notebook's cells", why)
    if isinstance(code, Unavailable):
        raise _missing("its source tree", code)
    if isinstance(code.bundle, Unavailable):
        raise _missing("the bytes of its source tree", code.bundle)
    if isinstance(packages, Unavailable):
        raise _missing("its packages", packages)
    if not is_absolute(code.root):
        raise RefusedError(f"The record's root {code.root[:80]!r} is not a valid absolute path.")
    return Parts(command, code, packages)


def _missing(what: str, reason: Unavailable) -> RefusedError:
    return RefusedError(f"The run does not hold {what}: {str(reason).rstrip('.')}.")
