"""Compares two trails moment by moment: weights, losses, metrics, batches and logged values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM
from wandb_repro.manifest.trail import Digested, Trail
from wandb_repro.manifest.trail_records import WHOLE_RUN, Resumed, Shape, TrailRecord, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.outcome import OutputDifference
from wandb_repro.verify.trail_cursor import (
    BatchStarts,
    MomentKeys,
    TrailCursor,
    TrailMoment,
    moment_id,
)
from wandb_repro.verify.value_diff import ValueComparison
from wandb_repro.verify.weights_diff import FirstDifference, Stage, moment_name, weights_difference


@dataclass(frozen=True)
class Comparison:
    """What was compared, and the first difference."""

    moments: int
    """Moments that both trails have and that were compared."""
    trained_moments: int
    """Of these, how many come after a step of training."""
    digests: int
    """Digests of single variables that were compared."""
    first: FirstDifference | None
    absent: tuple[str, ...]
    """Moments of the original that the other does not have, in words."""
    last_equal: str
    last_root: str
    """Digest over all variables at the last moment that was equal; empty if there is none."""
    metric_epochs: int
    """Epochs whose loss and metrics both trails have."""
    metrics_equal_bits: int
    """Of these, how many agree in every bit."""
    metrics_equal_printed: int
    """Of these, how many look the same when Keras prints them."""
    outputs: tuple[OutputDifference, ...] = ()
    """Losses, metrics, batches and logged values that differ, one for each name."""
    rows: int = 0
    """Rows of the history that were compared."""
    keys: frozenset[str] = frozenset()
    """Names whose values were compared."""
    volatile: frozenset[str] = frozenset()
    """Names that differ in every run, and were not compared."""
    unknown: frozenset[str] = frozenset()
    """Logged names whose values were not digested."""
    run_states: int = 0
    """Moments at which all state of the run was compared."""
    is_behind: bool = False
    """Whether the other training ended before the original did: it has fewer moments or rows."""
    is_ahead: bool = False
    """Whether it has epochs or rows that the original does not have."""


def algorithms_of(trail: Trail) -> tuple[str, str] | None:
    """Return the leaf and root algorithms of a trail's digests; None if the trail is empty."""
    start = trail.start
    return (start.leaf_algorithm, start.root_algorithm) if start else None


@dataclass
class Reference:
    """An original's trail that another training is compared with, moment by moment, as it runs.

    Reads the original once. Digests by another algorithm are not compared: they would differ
    without meaning anything.
    """

    original: Trail
    algorithms: tuple[str, str] | None = (LEAF_ALGORITHM, ROOT_ALGORITHM)
    """Leaf and root algorithm of the other training."""
    limit: Limit = field(default_factory=Limit)
    last_equal: str = ""
    last_root: str = ""
    compared: int = 0
    trained: int = 0
    digests: int = 0
    see: Callable[[TrailRecord], object] | None = None
    """Gets the original's records that are no moments, as they are passed."""
    other_batches: Callable[[Weights], object] | None = None
    """Gets each moment whose batches differ although its weights are equal."""
    run_states: int = 0

    def __post_init__(self) -> None:
        self._keys = MomentKeys()
        self._batch_starts = BatchStarts(self.limit)
        self._comparable = self.algorithms == algorithms_of(self.original)
        self._cursor = TrailCursor(self.original, self.limit, self.see)
        self._last_found: TrailMoment | None = None
        self._equal = (0, 0)
        self._kept: tuple[Sequence[Shape], Sequence[Shape]] = ((), ())

    def check(self, weights: Weights, shapes: Sequence[Shape]) -> FirstDifference | None:
        """Return the difference at this moment; None if it is equal or not compared."""
        if self.limit.leaves_out_moment(weights):
            return None
        found = self._cursor.take(self._keys.key(weights))
        self._last_found = found
        since = self._batch_starts.since(weights, self._cursor.first_step)
        if found is None or not self._comparable:
            return None
        self.compared += 1
        self.run_states += weights.fit == WHOLE_RUN
        self.digests += len(weights.leaves)
        difference = weights_difference(
            found.weights, self._paired(found.shapes, shapes), weights, shapes
        )
        if difference is None:
            self._note_equal(weights)
            # Two trails may record different steps: then their records cover different batches.
            comparable = found.since_step == since and _other_batches(found.weights, weights)
            if comparable and self.other_batches is not None:
                self.other_batches(weights)
            return None
        return difference.model_copy(
            update={"last_equal": self.last_equal, "stage": self._stage(weights)}
        )

    def _paired(self, original: Sequence[Shape], other: Sequence[Shape]) -> Sequence[Shape]:
        """Return ``other`` for ``original`` if they are equal, so that steps compare identity."""
        if (id(original), id(other)) != self._equal and original != other:
            return original
        self._equal = (id(original), id(other))
        self._kept = (original, other)  # keeps both alive: no other object can get these ids
        return other

    def _note_equal(self, weights: Weights) -> None:
        ended = weights.moment == "end" or (weights.moment == "fit" and weights.epoch > 0)
        self.trained += weights.step > 0 or ended
        self.last_equal = moment_name(weights)
        self.last_root = weights.root

    def _stage(self, weights: Weights) -> Stage:
        if weights.moment == "initial" or (weights.moment == "fit" and not weights.epoch):
            return "initial"
        # A trail of epochs does not say which step: if no trained moment was equal, it was early.
        first = weights.fit != WHOLE_RUN and weights.step <= 1
        return "first steps" if first or not self.trained else "later"

    def absent(self) -> tuple[str, ...]:
        """Return the original's moments, within the limit, that the other training never reached.

        At most the first thousand. Call it last: it ends the walk through the original.
        """
        # States between fits show where a difference began; the end of the run proves equality.
        # Of fits in threads, which one ends alone is decided by the machine.
        missed = (
            found.weights
            for found in self._cursor.rest()
            if found.in_limit and found.weights.moment != "fit"
        )
        return tuple(moment_name(weights) for weights in islice(missed, _MAX_NAMES))

    def exhausted_by(self, weights: Weights) -> bool:
        """Tell whether the original has nothing after this moment and no end record either."""
        return self._is_last_found(weights) and self._cursor.at_end and self.original.end is None

    def has(self, weights: Weights) -> bool:
        """Tell whether the original has the moment that was checked last."""
        return self._is_last_found(weights)

    def metrics_of(self, weights: Weights) -> dict[str, str]:
        """Return the original's metrics at the moment checked last; empty if it has none."""
        found = self._last_found
        return found.weights.metrics if found and self._is_last_found(weights) else {}

    def _is_last_found(self, weights: Weights) -> bool:
        found = self._last_found
        return found is not None and moment_id(found.weights) == moment_id(weights)


_MAX_NAMES = 1000


def compare(
    original: Trail,
    other: Trail,
    limit: Limit | None = None,
    volatile: Sequence[str] = (),
    *,
    whole: bool = True,
) -> Comparison:
    """Compare two trails whose hash chains were checked.

    Args:
        original: of the run that was repeated.
        other: of the run that is compared with it, its fits numbered like the original's.
        limit: the part that is compared.
        volatile: names of values that differ in every run, besides those of the published rule.
        whole: whether the runs are compared to their end.
    """
    limit = limit or Limit()
    rows = limit.after is None and not limit.passed
    rows = rows and all(_has_all_rows(trail) for trail in (original, other))
    limit = replace(limit, rows=rows)
    values = ValueComparison(volatile, rows=rows)
    reference = Reference(
        original,
        algorithms_of(other),
        limit,
        see=partial(values.take, 0),
        other_batches=lambda weights: values.note_batches(moment_name(weights), _order(weights)),
    )
    first: FirstDifference | None = None
    pairs: list[tuple[dict[str, str], dict[str, str]]] = []
    more_epochs = False
    for weights, shapes in limit.within(other.with_shapes(partial(values.take, 1))):
        difference = reference.check(weights, shapes)
        if weights.moment == "epoch" and not limit.leaves_out_moment(weights):
            more_epochs = more_epochs or not reference.has(weights)
        first = first or difference
        if weights.metrics and (metrics := reference.metrics_of(weights)):
            pairs.append((metrics, weights.metrics))
            where = partial(moment_name, weights)
            values.compare("metric", metrics, weights.metrics, where, _order(weights))
    absent = reference.absent()
    original_rows, other_rows = values.last_rows
    return Comparison(
        moments=reference.compared,
        trained_moments=reference.trained,
        digests=reference.digests,
        first=first,
        absent=absent,
        last_equal=first.last_equal if first else reference.last_equal,
        last_root=reference.last_root,
        metric_epochs=len(pairs),
        metrics_equal_bits=sum(left == right for left, right in pairs),
        metrics_equal_printed=sum(printed(left) == printed(right) for left, right in pairs),
        outputs=values.differences(whole=whole),
        rows=values.rows,
        keys=frozenset(values.keys),
        volatile=frozenset(values.volatile),
        unknown=frozenset(values.unknown),
        run_states=reference.run_states,
        is_behind=bool(absent) or other_rows < original_rows,
        is_ahead=more_epochs or other_rows > original_rows,
    )


def _has_all_rows(trail: Trail) -> bool:
    """Tell whether a trail has the rows from the first on; not if it resumed a training."""
    return holds_run(trail) and next(trail.of(Resumed), None) is None


def holds_run(trail: Trail) -> bool:
    """Tell whether a trail is of a format that holds the history and the state at the end."""
    start = trail.start
    return start is not None and int(start.version.split(".")[1]) >= _RUN_FORMAT


_RUN_FORMAT = 3
"""Minor version of the first format that has ``State``, ``Logged`` and ``Summary`` records."""


def _order(weights: Weights) -> tuple[float, float]:
    return weights.fit, weights.step  # a number of a hostile trail may be too large for a float


def _other_batches(original: Weights, other: Weights) -> bool:
    """Tell whether the batches of a step differ; False if they were not digested."""
    if not isinstance(original, Digested) or not isinstance(other, Digested):
        return False
    return None not in (original.data, other.data) and original.data != other.data


_SMALL = 1e-3


def printed(metrics: Mapping[str, str]) -> dict[str, str]:
    """Return metrics as Keras prints them, from their exact bits.

    ``{"loss": "0x1.8p-1"}`` becomes ``{"loss": "0.7500"}``.

    Source: ``keras.utils.Progbar`` of Keras 3.15: four decimals, small values as an exponent.
    """
    return {name: _printed(float.fromhex(value)) for name, value in metrics.items()}


def _printed(value: float) -> str:
    return f"{value:.4e}" if abs(value) <= _SMALL else f"{value:.4f}"
