"""What can be recorded before there is a run: begun while W&B starts its service."""

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

__all__ = ["EarlySnapshot"]

_LONGEST_S = 600.0
"""A snapshot ends by itself long before: git is given up, and the limits bound what is read."""


class EarlySnapshot:
    """A snapshot that is begun before W&B's settings are known, most likely the right one.

    Args:
        host: the process.
        options: what is asked for.
    """

    def __init__(self, host: Host, options: Options) -> None:
        self._wanted = guarded(lambda: wanted(None, host, options), "source tree")
        self._work = Background(self._take, "source tree")
        self._given = False

    def _take(self) -> Snapshot | Unavailable:
        asked = self._wanted
        if isinstance(asked, Unavailable):
            return asked
        return take_snapshot(asked.start, limits=asked.limits, selection=asked.selection)

    def snapshot(self, asked: Wanted, exclude: Sequence[Path]) -> Snapshot | Unavailable | None:
        """Return the snapshot, or why there is none; None when it is not the one asked for.

        Args:
            asked: as W&B's settings say.
            exclude: absolute folders that are no part of the code.
        """
        if asked != self._wanted:
            return None
        taken = self._work.settled(_LONGEST_S)
        if isinstance(taken, Unavailable):
            return taken
        if _holds_any(taken, exclude):
            return None
        self._given = True
        return replace(taken, exclude=tuple(exclude))

    def close(self) -> None:
        """Delete what nobody took."""
        if not self._given:
            taken = self._work.result(_LONGEST_S)
            if isinstance(taken, Snapshot):
                taken.close()


def _holds_any(taken: Snapshot, exclude: Sequence[Path]) -> bool:
    excluded = ExcludedFolders(taken.root, exclude)
    named = (os.fsencode(left.path) for left in taken.left_out)
    return any(map(excluded.contains, (*taken.entries, *named)))
