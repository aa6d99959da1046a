"""Takes the snapshot of the source tree while W&B starts its service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.source.candidates import ExcludedFolders
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import Options
from wandb_repro.recording.background import Background
from wandb_repro.recording.source_options import Wanted, wanted

_LONGEST_S = 600.0
"""Far longer than a snapshot takes: git has its own time limit, and the files read have limits."""


class EarlySnapshot:
    """A snapshot started before W&B's settings are known; they rarely ask for a different tree."""

    def __init__(self, host: Host, options: Options) -> None:
        self._wanted = guarded(lambda: wanted(None, host, options), "source tree")
        self._work = Background(self._take, "source tree")
        self._used = False

    def _take(self) -> Snapshot | Unavailable:
        tree = self._wanted
        if isinstance(tree, Unavailable):
            return tree
        return take_snapshot(tree.start, limits=tree.limits, selection=tree.selection)

    def snapshot(self, tree: Wanted, exclude: Sequence[Path]) -> Snapshot | Unavailable | None:
        """Return the snapshot, or why there is none; None if a different one is needed.

        Args:
            tree: the tree to record, now that W&B's settings are known.
            exclude: absolute paths of folders without code of the script.
        """
        if tree != self._wanted:
            return None
        taken = self._work.settled(_LONGEST_S)
        if isinstance(taken, Unavailable):
            return taken
        if _holds_any(taken, exclude):
            return None
        self._used = True
        return replace(taken, exclude=tuple(exclude))

    def close(self) -> None:
        """Delete the snapshot if it was not used."""
        if not self._used:
            taken = self._work.result(_LONGEST_S)
            if isinstance(taken, Snapshot):
                taken.close()


def _holds_any(taken: Snapshot, exclude: Sequence[Path]) -> bool:
    excluded = ExcludedFolders(taken.root, exclude)
    left_out = (os.fsencode(left.path) for left in taken.left_out)
    return any(map(excluded.contains, (*taken.entries, *left_out)))
