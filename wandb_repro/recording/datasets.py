"""The named parts of a run's data, and the rows that two of them have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import Dataset, Overlap
from wandb_repro.recording.messages import warn_once

if TYPE_CHECKING:
    from wandb_repro.capture.dataset import Measured


_MEANING = "if one of the two is training data, scores on the other are too good"


_MOST_PARTS = 1000


class DataParts:
    """Parts passed to ``fingerprint``, in order: a name that is used twice is two parts.

    Only the latest part of each name is compared with other names for rows in common.
    """

    def __init__(self) -> None:
        self._datasets: list[Dataset] = []
        self._further = 0
        self._digest_of_further = ""
        self._parts: dict[str, Measured] = {}
        self._overlaps: dict[tuple[str, str], Overlap] = {}
        self._unread: dict[str, int] = {}

    def add(self, parts: Iterable[Measured]) -> None:
        """Add parts, and warn of rows that are also in other parts."""
        for part in parts:
            name = part.dataset.name
            others = [other for other in self._parts.values() if other.dataset.name != name]
            self._parts[name] = part
            self._record(part.dataset)
            self._overlaps = {
                pair: known for pair, known in self._overlaps.items() if name not in pair
            }
            for other in others:
                overlap = overlap_of(other, part)
                if overlap is not None:
                    self._overlaps[other.dataset.name, name] = overlap
                    warn_once(f"{overlap}: {_MEANING}")

    def add_split(self, training: Measured, validation: Measured) -> None:
        """Add the training and validation data of a fit, and compare only these two."""
        # A part that was fingerprinted by name may contain both.
        names = training.dataset.name, validation.dataset.name
        self._parts.update(zip(names, (training, validation), strict=True))
        for part in (training, validation):
            self._record(part.dataset)
        overlap = overlap_of(training, validation)
        if overlap is not None:
            self.add_overlap(overlap)

    def add_overlap(self, overlap: Overlap) -> None:
        """Add rows or files that two parts of a fit have in common, and warn of them."""
        self._overlaps[overlap.one, overlap.two] = overlap
        warn_once(f"{overlap}: {_MEANING}")

    def add_unread_split(self, fit: int, why: str) -> None:
        """Note why the rows of a fit's training and validation data were not compared."""
        self._unread.setdefault(why, fit)

    @property
    def uncompared(self) -> tuple[str, ...]:
        """Training and validation data that were not compared, and why, each reason once."""
        return tuple(
            f"training and validation of fit {fit} were not compared for rows in common: {why}"
            for why, fit in self._unread.items()
        )

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """In the order in which they were added; the 1001st and later are one."""
        if not self._further:
            return tuple(self._datasets)
        each = Unavailable(unavailable=f"a run records {_MOST_PARTS:,} parts, and the rest as one")
        rest = Dataset(
            name=f"{self._further:,} further parts",
            kind="unknown",
            arrays=each,
            digest=f"sha256:{self._digest_of_further}",
            rows=each,
            order_free=each,
        )
        return (*self._datasets, rest)

    def _record(self, dataset: Dataset) -> None:
        if len(self._datasets) < _MOST_PARTS:
            self._datasets.append(dataset)
            return
        self._further += 1
        line = f"{self._digest_of_further} {dataset.name!r} {dataset.digest}"
        self._digest_of_further = hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()

    @property
    def overlaps(self) -> tuple[Overlap, ...]:
        """Each pair of parts with rows in common."""
        return tuple(self._overlaps.values())


def warn_if_unknown(part: Measured) -> Measured:
    """Warn of a part that has no digest, such as a file that does not exist; return it."""
    name, digest = part.dataset.name, part.dataset.digest
    if isinstance(digest, Unavailable):
        warn_once(f"the data {name!r} has no fingerprint: {digest}")
    return part


def overlap_of(first: Measured, second: Measured) -> Overlap | None:
    """Count the rows that two parts have in common; None if there are none or they are unknown."""
    if first.kept is None or second.kept is None:
        return None
    rows_of_second = second.kept.also_in(first.kept)
    if not rows_of_second:
        return None
    return Overlap(
        one=first.dataset.name,
        two=second.dataset.name,
        rows_of_one=first.kept.also_in(second.kept),
        rows_of_two=rows_of_second,
        estimated=bool(first.kept.halvings or second.kept.halvings),
    )
