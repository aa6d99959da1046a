"""The parts of the data that a run named, and the rows that stand in two of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wandb_repro.manifest.data import Dataset, Overlap
from wandb_repro.recording.messages import warn_once

if TYPE_CHECKING:
    from wandb_repro.capture.dataset import Measured


_MEANING = "if one of the two is training data, scores on the other are too good"


class DataParts:
    """What ``fingerprint`` was given, by name; a name that is given again replaces itself."""

    def __init__(self) -> None:
        self._parts: dict[str, Measured] = {}
        self._overlaps: dict[tuple[str, str], Overlap] = {}

    def add(self, parts: Iterable[Measured]) -> None:
        """Take parts over, and warn of rows that stand in others, too."""
        for part in parts:
            name = part.dataset.name
            others = [other for other in self._parts.values() if other.dataset.name != name]
            self._parts[name] = part
            self._overlaps = {
                pair: known for pair, known in self._overlaps.items() if name not in pair
            }
            for other in others:
                overlap = overlap_of(other, part)
                if overlap is not None:
                    self._overlaps[other.dataset.name, name] = overlap
                    warn_once(f"{overlap}: {_MEANING}")

    def add_split(self, training: Measured, validation: Measured) -> None:
        """Take over what a fit trains on and what it validates on, and compare these two alone.

        What was fingerprinted by name may well be both of them together.
        """
        names = training.dataset.name, validation.dataset.name
        self._parts.update(zip(names, (training, validation), strict=True))
        overlap = overlap_of(training, validation)
        if overlap is not None:
            self._overlaps[names] = overlap
            warn_once(f"{overlap}: {_MEANING}")

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """In the order in which their names came first."""
        return tuple(part.dataset for part in self._parts.values())

    @property
    def overlaps(self) -> tuple[Overlap, ...]:
        """Of each two parts that have rows in common."""
        return tuple(self._overlaps.values())


def overlap_of(one: Measured, two: Measured) -> Overlap | None:
    """Count the rows that two parts have in common; None if there are none, or nothing tells."""
    if one.kept is None or two.kept is None:
        return None
    rows_of_two = two.kept.also_in(one.kept)
    if not rows_of_two:
        return None
    return Overlap(
        one=one.dataset.name,
        two=two.dataset.name,
        rows_of_one=one.kept.also_in(two.kept),
        rows_of_two=rows_of_two,
        estimated=bool(one.kept.halvings or two.kept.halvings),
    )
