"""Which fits of threads can be compared with the original while they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wandb_repro.manifest.trail_records import (
    OTHER_THREADS,
    WHOLE_RUN,
    Granularity,
    Shape,
    is_of_thread,
    owner_of,
)


class FitsInThreads:
    """Tells which fits are known to be those of the original that have their numbers.

    Threads that take their work from a queue do other work in a rerun. The verdict at the end pairs
    what is equal, so a rerun must not stop because the first weights of two fits differ.

    Args:
        plans: of the original, by the fit's number.
    """

    def __init__(self, plans: Mapping[int, Granularity]) -> None:
        self._unknown = {fit for fit, plan in plans.items() if plan.thread == OTHER_THREADS}
        """Fits whose weights nothing identifies before the end."""
        self._open = {fit for fit, plan in plans.items() if plan.thread} - self._unknown
        """Fits of which no weights were compared yet."""

    def leaves_out(self, fit: int, shapes: Sequence[Shape]) -> bool:
        """Tell whether only the verdict at the end can compare this.

        Args:
            fit: number of the fit, or ``WHOLE_RUN``.
            shapes: of its variables.
        """
        if fit == WHOLE_RUN:
            return any(is_of_thread(owner_of(shape.label)) for shape in shapes)
        return fit in self._unknown

    def decides(self, fit: int, *, equal: bool) -> bool:
        """Tell whether a difference in this fit decides; note that weights were compared."""
        if fit not in self._open:
            return True
        self._open.discard(fit)
        if not equal:
            self._unknown.add(fit)
        return equal
