"""The kinds of records in a trail, one JSON line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from wandb_repro.manifest.base import EvolvedRecord, Record, Unavailable, added_field
from wandb_repro.manifest.leaf_positions import PLACES

VERSION = "1.3"

SHORT = 8
"""Hexadecimal digits of a leaf's digest in a step record: they show which leaf differs; the root
proves that all are equal."""


def _exact(text: str) -> str:
    """Return the text if ``float.hex`` writes it like this.

    Raises:
        ValueError: ``float.hex`` writes no float like this.
    """
    try:
        written = float.fromhex(text).hex()
    except OverflowError as error:
        raise ValueError("larger than any float") from error
    if written != text:
        raise ValueError(f"not as float.hex writes it, {written}")
    return text


HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,128}$")]
HexDigits = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]*$")]
HexFloat = Annotated[str, AfterValidator(_exact)]
Places = Annotated[str, StringConstraints(pattern=rf"^({PLACES.pattern})?$")]
Spans = Annotated[
    str, StringConstraints(pattern=r"^([0-9]{1,18}(-[0-9]{1,18})?(,[0-9]{1,18}(-[0-9]{1,18})?)*)?$")
]
TrailVersion = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}\.[0-9]{1,9}$")]
Moment = Literal["initial", "step", "epoch", "final", "fit", "logged", "end"]

OTHER_THREADS = "*"
"""Names the threads of which nothing is known that is the same in a rerun, as those of a pool."""

WHOLE_RUN = 0
"""In place of a fit's number: the state of everything that the run made, not of one fit."""


class Start(Record):
    """The first record: the format and the digest algorithms."""

    kind: Literal["start"] = "start"
    version: TrailVersion = VERSION
    leaf_algorithm: str
    root_algorithm: str


class Shape(Record):
    """One variable. Its label is for people: counters in it depend on the models built before."""

    group: str
    """``trainable``, ``non_trainable``, ``seed``, ``optimizer`` or ``state``."""
    label: str
    dtype: str
    shape: tuple[int, ...]


class Structure(Record):
    """The variables of a model, in its order; written again when they change."""

    kind: Literal["structure"] = "structure"
    fit: int
    """Number of the ``fit`` call within the run, from 1."""
    leaves: tuple[Shape, ...]


class Weights(Record):
    """The digest of every variable at one moment."""

    kind: Literal["weights"] = "weights"
    fit: int
    moment: Moment
    epoch: int
    """Complete epochs as ``fit`` counts them (``initial_epoch`` included)."""
    step: int
    """Complete optimizer steps of this ``fit``."""
    root: HexDigest
    """Digest over all leaves."""
    leaves: tuple[HexDigest, ...]
    """One digest for each variable, in the order of the last structure record."""
    metrics: dict[str, HexFloat] = Field(default_factory=dict)
    """Loss and metrics of the epoch, exact bits as ``float.hex`` writes them."""


class State(EvolvedRecord, Record):
    """The digest of all state that the run made, whether a ``fit`` trained it or not.

    Its variables are in the last structure record whose ``fit`` is ``WHOLE_RUN``.
    """

    kind: Literal["state"] = "state"
    moment: Literal["fit", "logged", "end"]
    """``fit``: before the first fit, or when one ended; ``logged``: when a row of the history was
    committed; ``end``: behind all else in the run."""
    row: int
    """Rows committed so far."""
    fits: int = added_field(0)
    """If the moment is ``fit``: fits and watched loops that have ended so far."""
    root: HexDigest
    leaves: tuple[HexDigest, ...]


class Logged(EvolvedRecord, Record):
    """Consecutive rows that ``run.log`` committed, all with the same keys."""

    kind: Literal["logged"] = "logged"
    first: int
    """Number of the first row, from 1."""
    rows: int
    numbers: dict[str, HexDigits] = Field(default_factory=dict)
    """Numbers to the last bit: IEEE 754 binary64, big-endian, 16 hexadecimal digits a row."""
    texts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Any other value, one text a row: ``str:…``, ``int:…``, ``bool:…``, ``none``, or the kind of a
    value and its digest. ``unknown:KIND`` was not digested."""
    steps: Spans = added_field("")
    """W&B's step (``_step``) of each row, rising: ``0-255,300``. Empty if it is not known."""
    begins: int = added_field(0)
    """W&B's step when the record began: not 0 in a run that goes on, from which W&B counts."""


class Summary(Record):
    """The run's summary at its end, without what this package added."""

    kind: Literal["summary"] = "summary"
    values: dict[str, str]
    """As in ``Logged.texts``; a number is ``float.hex``."""


class Trainable(EvolvedRecord, Record):
    """Something that can be trained, as it was at the end of the run."""

    number: int
    """In order of creation, from 1, among all things of its kind that its thread made."""
    kind: Literal["model", "optimizer", "module", "variables", "tables"]
    name: str
    variables: int
    steps: int | None
    """Of an optimizer: complete steps; None if it does not count them."""
    missing: str = ""
    """Why its state is not in the digest at the end; empty if it is."""
    trained: bool = True
    """Whether it may have been trained since its state was last digested, if ``missing``."""
    thread: str = added_field("")
    """The thread that made it, such as ``train#2``; empty: the one that began the run."""


class Inventory(Record):
    """Everything that the run made and that can be trained."""

    kind: Literal["inventory"] = "inventory"
    things: tuple[Trainable, ...]
    notes: tuple[str, ...] = ()
    """Trainings that were noticed and could not be digested, in words."""


class Granularity(EvolvedRecord, Record):
    """What the records of one ``fit`` show; written when it begins."""

    kind: Literal["granularity"] = "granularity"
    fit: int
    every: int
    """Weights are digested every N steps; 0: only at the steps in ``chosen``."""
    chosen: tuple[int, ...] = ()
    """Further steps after which weights are digested, rising."""
    steps_at_once: int
    """Optimizer steps that run together (``steps_per_execution``): steps inside are not seen."""
    losses: str | Unavailable
    """What the values in ``Losses`` are, in words."""
    before: str | Unavailable
    """How a change of weights between steps is detected, in words."""
    data: str | Unavailable
    """What the digests of batches cover, in words."""
    first: str | Unavailable = added_field(Unavailable(unavailable="trails before 1.2 have none"))
    """Which batches of an epoch ``Seen`` covers, in words."""
    digests: str | Unavailable = added_field("")
    """Why a small fit has no digests: of thousands of one model, some have. Its losses are
    complete: an epoch's last step includes what only the epoch has, such as ``val_loss``."""
    model: int = added_field(0)
    """Number of the model among all that its thread made, in order of creation; 0 if it is not
    known."""
    thread: str = added_field("")
    """The thread that made the model, such as ``train#2``: the second that runs ``train``. Empty:
    the one that began the run. Of a model that is not known, the thread that trains it."""


class Step(Record):
    """The weights after a step: those that changed since the previous record of this fit."""

    kind: Literal["step"] = "step"
    fit: int
    epoch: int
    """Complete epochs."""
    step: int
    """Complete optimizer steps of this ``fit``."""
    root: HexDigest
    """Digest over the full digests of all leaves, changed or not."""
    changed: Places
    """Positions in the last structure of this fit, from 0, rising: ``0-52,60``."""
    leaves: HexDigits
    """The first 8 hexadecimal digits of the digest of each changed leaf, concatenated."""
    before: HexDigest | None
    """Root of the weights at the beginning of the first step since the previous record, if it
    differs from that record's: something other than training changed them. None if it is
    the same or was not checked."""
    data: HexDigest | None
    """Root over the batches since the last step record; if None, ``Granularity.data`` says why."""


class Losses(Record):
    """Loss and metrics after each step, exact bits."""

    kind: Literal["losses"] = "losses"
    fit: int
    epoch: int
    """Complete epochs."""
    first: int
    """Step of the first value."""
    every: int
    """Steps between two values."""
    last: int
    """Step of the last value: an epoch may end sooner than after ``every`` steps."""
    bits: dict[str, HexDigits]
    """The values of each metric, concatenated: IEEE 754 binary64, big-endian, 16 hexadecimal
    digits each."""


class Numbers(Record):
    """A few numbers of each leaf, to estimate how far apart different weights are.

    They prove nothing: weights with equal numbers may differ. Each string has 16 hexadecimal
    digits a number (IEEE 754 binary64, big-endian), in the order of the last structure.
    """

    kind: Literal["numbers"] = "numbers"
    fit: int
    moment: Moment
    epoch: int
    step: int
    algorithm: str
    norm: HexDigits
    """Euclidean norm of the finite elements."""
    low: HexDigits
    """Smallest finite element; NaN if there is none."""
    high: HexDigits
    """Largest finite element; NaN if there is none."""
    sketch: HexDigits
    """Four projections of the finite elements on fixed signs, leaf by leaf."""
    non_finite: tuple[int, ...]
    """Number of elements that are NaN or infinite."""


class Seen(Record):
    """The first batches that the model got in an epoch."""

    kind: Literal["seen"] = "seen"
    fit: int
    epoch: int
    """Complete epochs before it."""
    batches: tuple[str, ...] | Unavailable
    """Hexadecimal root of each batch, over its elements in order."""
    rows: tuple[str, ...]
    """For each batch ``ALGORITHM:HEX`` over the content of all rows up to its end, the same for
    every order of the rows. Empty if rows cannot be distinguished."""


class Missing(Record):
    """A moment whose weights could not be digested."""

    kind: Literal["missing"] = "missing"
    fit: int
    moment: Moment
    epoch: int
    step: int
    reason: str


class Checkpoint(Record):
    """A checkpoint, or why there is none. Of several for one epoch, the last counts."""

    kind: Literal["checkpoint"] = "checkpoint"
    fit: int
    epoch: int
    """Complete epochs."""
    step: int
    """Complete optimizer steps of this ``fit``, including those before a resume."""
    path: str
    """Absolute path on the machine that trained."""
    digest: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    """SHA-256 of the file; empty if there is none."""
    size_bytes: int = 0
    root: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,128}$")] = ""
    """Root of the weights in it; empty if there is none."""
    best: bool = False
    """Whether it was the best so far by the monitored metric."""
    reason: str = ""
    """Why it does not exist: it could not be written, or was deleted. Empty if it exists."""
    unsaved: tuple[str, ...] = ()
    """State of the training that it does not contain, in words: a resume would not be exact."""


class Resumed(Record):
    """A training resumed from a checkpoint."""

    kind: Literal["resumed"] = "resumed"
    fit: int
    epoch: int
    """Complete epochs."""
    step: int
    """Complete optimizer steps."""
    path: str
    """Absolute path of the checkpoint."""
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the checkpoint."""
    inexact: tuple[str, ...] = ()
    """Why it may differ from a training that never stopped, in words; empty if none is known."""


class End(Record):
    """The last record: a trail without it belongs to a run that was killed or is still running."""

    kind: Literal["end"] = "end"
    status: Literal["finished", "interrupted", "failed"]
    fits: int
    """Number of ``fit`` calls."""


class Outside(Record):
    """Training after the run had ended, and with no other run open. It follows the end."""

    kind: Literal["outside"] = "outside"
    what: str
    """What was noticed, and what to do, in words."""


TrailRecord = Annotated[
    Start
    | Granularity
    | Structure
    | Weights
    | Step
    | Losses
    | Numbers
    | Seen
    | State
    | Logged
    | Summary
    | Inventory
    | Missing
    | Checkpoint
    | Resumed
    | End
    | Outside,
    Field(discriminator="kind"),
]


def owner_of(label: str) -> str:
    """Return what a variable of the whole run belongs to, by its label: ``model 2``."""
    return label.partition(": ")[0]


def owner_name(kind: str, number: int, thread: str = "") -> str:
    """Return the name of what a variable of the whole run belongs to.

    Example:
        >>> owner_name("model", 2, "train#1")
        'model 2 of thread train#1'
    """
    return f"{kind} {number}{_BY_THREAD.get(thread, f' of thread {thread}')}"


_BY_THREAD = {"": "", OTHER_THREADS: " of other threads"}


def is_of_thread(owner: str) -> bool:
    """Tell whether another thread than the one that began the run made this, by its name."""
    return " of thread " in owner or owner.endswith(_BY_THREAD[OTHER_THREADS])


def is_due(step: int, every: int, chosen: Sequence[int], steps_at_once: int) -> bool:
    """Tell whether the weights are digested after a step, or after one that ran together with it.

    Args:
        step: the last complete step.
        every: as in ``Granularity``.
        chosen: as in ``Granularity``.
        steps_at_once: number of steps that ended together, this one being the last.
    """
    first = step - steps_at_once + 1
    if every and step // every > (first - 1) // every:
        return True
    return any(first <= due <= step for due in chosen)
