"""What is recorded of a fit, without Keras: this file must not import it."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import pytest

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array
from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Granularity, Losses, Missing, Resumed, Seen
from wandb_repro.recording.fit.fit_recorder import UNBUILT, FitRecorder, checked_steps
from wandb_repro.recording.trail_sink import Note, Point

Take = Callable[[int, "tuple[Any, ...] | Unavailable"], None]


N = TypeVar("N", bound=Note)


def number_in(variable: Variable) -> float:
    return float(np.asarray(variable.value)[0])


class Sink:
    """Keeps what it is given."""

    ended = False

    def __init__(
        self,
        steps: int | Sequence[int] | None = None,
        wanted: Iterable[int] = (),
    ) -> None:
        self.steps = steps
        self.fits = 0
        self.open = set[int]()
        self.digests: list[Point] = []
        self.values: list[list[float]] = []
        self.metrics: list[dict[str, str]] = []
        self.notes: list[Note] = []
        self._wanted = set(wanted)
        self.digested: Container[int] = range(1, 1000)
        """Fits that are digested if they are small."""

    def begin_fit(self, model: object, arguments: Mapping[str, object] | None = None) -> int:
        del model, arguments
        self.fits += 1
        self.open.add(self.fits)
        return self.fits

    def end_fit(self, fit: int) -> None:
        self.open.remove(fit)

    def weights(self, point: Point, variables: Iterable[Variable]) -> None:
        assert point.fit == self.fits
        self.values.append([number_in(one) for one in variables])
        self.digests.append(point._replace(metrics={}))
        self.metrics.append(dict(point.metrics))

    def write(self, record: Note) -> None:
        self.notes.append(record)

    def noted(self, kind: type[N]) -> list[N]:
        """Return the records of one kind, in order."""
        return [record for record in self.notes if isinstance(record, kind)]

    def root_now(self, variables: Sequence[Variable]) -> str | None:
        return f"root of {number_in(variables[0])}"

    def wants_step(self, step: int, *, fit: int, epochs: int) -> bool:
        return step in self._wanted

    def wants_steps(self, fit: int) -> bool:
        return bool(self._wanted)

    def digests_fit(self, fit: int) -> bool:
        return fit in self.digested

    def of(self, *moments: str) -> list[tuple[int, int]]:
        """Return epoch and step of the digests of some moments, in order."""
        return [(it.epoch, it.step) for it in self.digests if it.moment in moments]


class Fit:
    """A fit whose only weight counts the steps; another callback may add to it."""

    model = object()

    def __init__(
        self,
        *,
        built: bool = True,
        at_once: int = 1,
        known: int | None = None,
        others_change: bool = False,
        no_batches: str = "",
    ) -> None:
        self.arguments: dict[str, object] = {}
        self.steps_at_once = at_once
        self.steps_per_epoch = known
        self.weight = 0.0
        self.searches = 0
        self.takers: list[tuple[Take, int | None]] = []
        self._built = built
        self._others_change = others_change
        self._no_batches = no_batches

    losses = "what Keras reports"

    def missing_initial(self) -> str:
        return "" if self._built else UNBUILT

    def batches_in(self, steps: int) -> int:
        return steps

    def changes_between_steps(self) -> bool:
        return self._others_change

    def watch(self, take: Take, at_most: int | None = None) -> Unavailable | None:
        if self._no_batches:
            return Unavailable(unavailable=self._no_batches)
        self.takers.append((take, at_most))
        return None

    def read(self, *, anew: bool) -> Iterator[Variable]:
        self.searches += anew
        yield Variable("trainable", "w", cast("Array", np.array([self.weight])))

    def make(self, number: int, value: float) -> None:
        """Make a batch in the pipeline."""
        for take, at_most in self.takers:
            if at_most is None or number < at_most:
                take(number, (np.full((2, 3), value),))


def begun(
    sink: Sink, fit: Fit | None = None, steps: int | tuple[int, ...] | None = None
) -> FitRecorder:
    recorder = FitRecorder(sink, fit or Fit(), steps)
    recorder.begin()
    return recorder


def train_epoch(
    recorder: FitRecorder, fit: Fit, epoch: int, steps: int, *, told: bool = True
) -> None:
    """Send the events of one epoch; ``told`` on the thread that trains."""
    recorder.epoch_began(epoch)
    for batch in range(0, steps, fit.steps_at_once):
        recorder.batch_began(batch)
        recorder.all_acted()
        fit.weight += 1
        last = min(batch + fit.steps_at_once, steps) - 1
        if told:
            recorder.batch_ended(last, {"loss": 10.0 * epoch + last})
            recorder.step_ended(last)
    recorder.epoch_ended(epoch, {"loss": 0.5})


def test_by_default_the_initial_weights_the_first_step_epochs_and_the_end_are_digested() -> None:
    sink, fit = Sink(), Fit(known=3)
    recorder = begun(sink, fit)
    for epoch in (0, 1):
        train_epoch(recorder, fit, epoch, steps=3)
    recorder.end()
    assert sink.digests == [
        Point("initial", 1, 0, 0),
        Point("step", 1, 0, 1),
        Point("epoch", 1, 1, 3),
        Point("epoch", 1, 2, 6),
        Point("final", 1, 2, 6),
    ]
    assert sink.values == [[0], [1], [3], [6], [6]]
    assert not sink.open


@pytest.mark.parametrize(
    ("steps", "digested"),
    [(1, [1, 2, 3, 4, 5, 6]), (3, [1, 3, 6]), ((2, 5), [1, 2, 5]), ((40,), [1])],
)
def test_the_steps_that_are_asked_for_are_digested_besides_the_first(
    steps: int | tuple[int, ...], digested: list[int]
) -> None:
    sink, fit = Sink(), Fit(known=6)
    train_epoch(begun(sink, fit, steps), fit, 0, steps=6)
    assert [step for _, step in sink.of("step")] == digested


def test_the_sink_says_which_steps_where_the_callback_does_not() -> None:
    one, two, fit = Sink(steps=[4, 2]), Sink(steps=2), Fit(known=4)
    train_epoch(begun(one, fit), fit, 0, steps=4)
    assert one.of("step") == [(0, 1), (0, 2), (0, 4)]
    assert (one.noted(Granularity)[0].every, one.noted(Granularity)[0].chosen) == (0, (2, 4))
    begun(two, fit, 3)
    assert two.noted(Granularity)[0].every == 3


def test_a_step_that_the_sink_wants_is_digested_whatever_was_asked() -> None:
    sink, fit = Sink(wanted={3}), Fit(known=4)
    train_epoch(begun(sink, fit), fit, 0, steps=4)
    assert sink.of("step") == [(0, 1), (0, 3)]


def test_steps_that_run_as_one_are_digested_after_the_group_that_holds_a_due_step() -> None:
    sink, fit = Sink(), Fit(at_once=4, known=10)
    train_epoch(begun(sink, fit, 5), fit, 0, steps=10)
    assert sink.of("step", "epoch") == [(0, 4), (0, 8), (0, 10), (1, 10)]


def test_a_model_without_weights_yet_has_a_reason_instead_of_initial_weights() -> None:
    sink, fit = Sink(), Fit(built=False, known=2)
    recorder = begun(sink, fit)
    assert sink.digests == []
    (missing,) = sink.noted(Missing)
    assert (missing.fit, missing.moment, missing.epoch, missing.step) == (1, "initial", 0, 0)
    assert missing.reason.startswith("the model was not built")
    train_epoch(recorder, fit, 0, steps=2)
    assert sink.of("step") == [(0, 1)]


def test_a_step_is_digested_once_however_often_its_events_come() -> None:
    sink, fit = Sink(), Fit(known=2)
    recorder = begun(sink, fit, 1)
    recorder.epoch_began(0)
    for batch in (0, 0, 1, 1):
        recorder.batch_began(batch)
        recorder.step_ended(batch)
        recorder.step_ended(batch)
    assert sink.of("step") == [(0, 1), (0, 2)]
    assert recorder.steps == 2


def test_a_step_whose_end_another_thread_reports_is_digested_when_the_next_begins() -> None:
    sink, fit = Sink(), Fit(known=2)
    recorder = begun(sink, fit, 1)
    recorder.epoch_began(0)
    recorder.batch_began(0)
    other = threading.Thread(target=recorder.step_ended, args=(0,))
    other.start()
    other.join()
    assert sink.of("step") == []
    recorder.batch_began(1)
    assert sink.of("step") == [(0, 1)]


@pytest.mark.parametrize(
    ("known", "told", "counted"),
    [(3, True, 3), (3, False, 3), (None, True, 3), (None, False, 3)],
    ids=["length known", "ends not seen", "length unknown", "neither"],
)
def test_the_last_step_of_an_epoch_is_counted_once(
    known: int | None, *, told: bool, counted: int
) -> None:
    sink, fit = Sink(), Fit(known=known)
    recorder = begun(sink, fit)
    train_epoch(recorder, fit, 0, steps=3, told=told)
    train_epoch(recorder, fit, 1, steps=3, told=told)
    assert sink.of("epoch") == [(1, counted), (2, 2 * counted)]


def test_a_group_that_ends_with_the_epoch_is_not_counted_beyond_it() -> None:
    sink, fit = Sink(), Fit(at_once=4, known=6)
    train_epoch(begun(sink, fit), fit, 0, steps=6)
    assert sink.of("epoch") == [(1, 6)]


def test_losses_are_written_with_the_step_of_the_fit_and_metrics_to_the_last_bit() -> None:
    sink, fit = Sink(), Fit(known=2)
    recorder = begun(sink, fit)
    for epoch in (0, 1):
        train_epoch(recorder, fit, epoch, steps=2)
    bits = [struct.pack(">2d", *values).hex() for values in ((0.0, 1.0), (10.0, 11.0))]
    assert sink.noted(Losses) == [
        Losses(fit=1, epoch=0, first=1, every=1, last=2, bits={"loss": bits[0]}),
        Losses(fit=1, epoch=1, first=3, every=1, last=4, bits={"loss": bits[1]}),
    ]
    assert [it for it in sink.metrics if it] == 2 * [{"loss": "0x1.0000000000000p-1"}]


def test_losses_of_a_long_epoch_are_written_before_it_ends() -> None:
    sink, fit = Sink(), Fit(known=1000)
    recorder = begun(sink, fit)
    recorder.epoch_began(0)
    for batch in range(300):
        recorder.batch_began(batch)
        recorder.batch_ended(batch, {"loss": 0.0})
    assert [(it.first, it.last) for it in sink.noted(Losses)] == [(1, 256)]


def test_the_model_is_searched_for_variables_once_an_epoch_and_at_its_end() -> None:
    sink, fit = Sink(), Fit(known=5)
    recorder = begun(sink, fit, 1)
    assert fit.searches == 1
    train_epoch(recorder, fit, 0, steps=5)
    assert fit.searches == 3  # the first step, and the epoch's end
    train_epoch(recorder, fit, 1, steps=5)
    assert fit.searches == 5
    assert len(sink.digests) == 13


def test_what_another_callback_changed_before_a_step_is_in_the_record_after_it() -> None:
    sink, fit = Sink(), Fit(known=3, others_change=True)
    recorder = begun(sink, fit, 1)
    recorder.epoch_began(0)
    for batch in range(3):
        recorder.batch_began(batch)
        fit.weight += 100
        recorder.all_acted()
        fit.weight += 1
        recorder.step_ended(batch)
    found = [it.before for it in sink.digests if it.moment == "step"]
    assert found == ["root of 100.0", "root of 201.0", "root of 302.0"]


def test_weights_are_not_read_twice_where_no_callback_can_change_them() -> None:
    sink, fit = Sink(), Fit(known=3)
    train_epoch(begun(sink, fit, 1), fit, 0, steps=3)
    assert {it.before for it in sink.digests} == {None}
    assert "no callback" in str(sink.noted(Granularity)[0].before)


def test_each_step_has_the_root_of_the_batches_since_the_record_before() -> None:
    sink, fit = Sink(), Fit(known=4)
    recorder = begun(sink, fit, (2, 4))
    recorder.epoch_began(0)
    for batch, value in enumerate((1.0, 2.0, 3.0, 3.0)):
        fit.make(batch, value)
        recorder.batch_began(batch)
        recorder.step_ended(batch)
    one, two, three = [it.data for it in sink.digests if it.moment == "step"]
    assert None not in (one, two, three)
    assert len({one, two, three}) == 3


def test_all_batches_are_watched_only_where_steps_are_asked_for() -> None:
    asked, default = Fit(), Fit()
    begun(Sink(), asked, 1)
    sink = Sink()
    begun(sink, default)
    assert [at_most for _, at_most in asked.takers] == [2, None]
    assert [at_most for _, at_most in default.takers] == [2]
    assert str(sink.noted(Granularity)[0].data) == "digests of steps were not requested"
    assert sink.noted(Granularity)[0].first == "the first 2 batches of each epoch"


def test_batches_that_cannot_be_watched_have_the_reason_in_the_record() -> None:
    sink, fit = Sink(), Fit(known=2, no_batches="no pipeline")
    train_epoch(begun(sink, fit, 1), fit, 0, steps=2)
    (found,) = sink.noted(Granularity)
    assert (str(found.data), str(found.first)) == ("no pipeline", "no pipeline")
    assert sink.noted(Seen) == []


def test_a_batch_without_a_digest_is_said_once_in_the_record() -> None:
    sink, fit = Sink(), Fit(known=3)
    recorder = begun(sink, fit, 1)
    recorder.epoch_began(0)
    for batch in range(3):
        recorder.batch_began(batch)  # the pipeline showed nothing
        recorder.step_ended(batch)
    assert [str(it.data) for it in sink.noted(Granularity)] == [
        "every batch since the step record before",
        "Keras counted a step that no batch was made for",
    ]


def test_the_first_batches_are_written_when_they_were_trained_on() -> None:
    sink, fit = Sink(), Fit(known=3)
    recorder = begun(sink, fit)
    for epoch in (0, 1):
        for number in range(3):
            fit.make(number, epoch + number)  # the pipeline runs ahead
        train_epoch(recorder, fit, epoch, steps=3)
    seen = [(it.epoch, it.batches) for it in sink.noted(Seen)]
    assert [(epoch, isinstance(found, tuple) and len(found)) for epoch, found in seen] == [
        *((0, 1), (0, 2), (1, 1), (1, 2))
    ]


def test_a_resumed_fit_counts_on_and_digests_nothing_twice() -> None:
    sink, fit = Sink(), Fit(known=2)
    recorder = begun(sink, fit, 2)
    record = Resumed(fit=7, epoch=3, step=6, path="a.ckpt", digest="0" * 64)
    recorder.resume(record)
    recorder.epoch_began(3)
    recorder.batch_began(0)
    assert sink.of("step") == []
    recorder.batch_began(1)
    recorder.step_ended(1)
    assert sink.of("step") == [(3, 8)]
    assert sink.noted(Resumed) == [record.model_copy(update={"fit": 1})]


def test_a_fit_that_was_restored_without_us_counts_from_the_optimizers_step() -> None:
    sink, fit = Sink(), Fit(known=4)
    recorder = begun(sink, fit, 1)
    recorder.epoch_began(1)
    recorder.resume_at(step=6, batch=2)
    recorder.batch_began(2)
    recorder.step_ended(2)
    assert sink.of("step") == [(1, 6), (1, 7)]


def test_batches_that_were_trained_on_before_a_stop_are_left_out() -> None:
    digests = dict[bool, str | None]()
    for stopped in (False, True):
        sink, fit = Sink(), Fit(known=3)
        recorder = begun(sink, fit, 1)
        if stopped:
            recorder.skip_batches(1)
        recorder.epoch_began(0)
        for number in range(3):
            fit.make(number, number)
        recorder.batch_began(0)
        recorder.step_ended(0)
        if not stopped:
            recorder.step_ended(1)
        digests[stopped] = sink.digests[-1].data
    assert digests[True] == digests[False] is not None


def test_a_fit_is_closed_though_its_final_weights_cannot_be_read() -> None:
    class Broken(Sink):
        def weights(self, point: Point, variables: Iterable[Variable]) -> None:
            if point.moment == "final":
                raise MemoryError("no room")

    sink = Broken()
    recorder = begun(sink)
    with pytest.raises(MemoryError):
        recorder.end()
    assert not sink.open


@pytest.mark.parametrize(
    ("steps", "checked"),
    [(None, None), (5, 5), ([3, 1, 3], (1, 3)), ({7}, (7,)), (range(2, 5), (2, 3, 4))],
)
def test_steps_are_put_in_order(steps: Any, checked: object) -> None:
    assert checked_steps(steps) == checked


@pytest.mark.parametrize("steps", [0, -1, [], [3, 0]])
def test_steps_below_one_are_refused(steps: Any) -> None:
    with pytest.raises(UsageError, match=r"^steps=.* is not a number of steps; give 1 or more\.$"):
        checked_steps(steps)


def test_the_recorder_imports_no_keras() -> None:
    code = (
        "import sys, wandb_repro.recording.fit.fit_recorder as _; "
        "sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def small_fit(epochs: int, steps: int | None) -> Fit:
    fit = Fit(known=steps)
    fit.arguments = {"epochs": epochs, "initial_epoch": 0}
    return fit


def test_a_small_fit_that_is_not_digested_keeps_its_losses_and_says_so() -> None:
    sink, fit = Sink(), small_fit(epochs=2, steps=2)
    sink.digested = ()
    recorder = begun(sink, fit)
    recorder.epoch_began(0)
    for batch in (0, 1):
        recorder.batch_began(batch)
        recorder.batch_ended(batch, {"loss": 0.5 - batch})
        recorder.step_ended(batch)
    recorder.epoch_ended(0, {"loss": 9.0, "val_loss": 0.25, "matrix": np.zeros(2)})
    train_epoch(recorder, fit, 1, steps=2)
    recorder.end()
    assert (sink.digests, fit.takers, sink.open) == ([], [], set())
    (plan,) = sink.noted(Granularity)
    assert str(plan.digests) == "a small fit after its model's 100th"
    first, second, *_ = sink.noted(Losses)
    assert (first.first, first.last, first.bits) == (1, 1, {"loss": bits(0.5)})
    assert (second.first, second.last) == (2, 2)
    assert second.bits == {"loss": bits(-0.5), "val_loss": bits(0.25)}


def bits(value: float) -> str:
    return struct.pack(">d", value).hex()


@pytest.mark.parametrize(
    ("fit", "steps", "wanted"),
    [
        (small_fit(epochs=1, steps=33), None, ()),
        (small_fit(epochs=17, steps=2), None, ()),
        (small_fit(epochs=1, steps=None), None, ()),
        (Fit(known=1), None, ()),
        (small_fit(epochs=1, steps=1), 1, ()),
        (small_fit(epochs=1, steps=1), None, (1,)),
    ],
    ids=["long", "many epochs", "unknown length", "unknown epochs", "steps asked", "in a rerun"],
)
def test_other_fits_are_all_digested(fit: Fit, steps: int | None, wanted: tuple[int, ...]) -> None:
    sink = Sink(wanted=wanted)
    sink.digested = ()
    begun(sink, fit, steps).end()
    assert sink.of("initial", "final") == [(0, 0), (0, 0)]
    (plan,) = sink.noted(Granularity)
    assert plan.digests == ""
