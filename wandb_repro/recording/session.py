"""One run being recorded. The callback and ``init`` use it; it never stops a training."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.loop_config import LoopModels, probe_loop
from wandb_repro.capture.machine.model_config import probe_settings
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.capture.weights import Variable
from wandb_repro.digest import ROOT_ALGORITHM
from wandb_repro.errors import RecordingError
from wandb_repro.files import write_atomically
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.manifest import Ending, Manifest, Sealed
from wandb_repro.manifest.request import Options
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Granularity
from wandb_repro.manifest.training import FitSettings
from wandb_repro.recording.after_end import stop_watching, watch_after_end
from wandb_repro.recording.children.own_record import note_own_run
from wandb_repro.recording.datasets import warn_if_unknown
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.ending import Status, Stop, ending_of, stop_by_exit, stop_of
from wandb_repro.recording.extra_files import StoredExtraFiles
from wandb_repro.recording.facts import (
    EndFacts,
    Facts,
    StartFacts,
    TrainingFacts,
    end_facts,
    manifest_of,
    start_facts,
    training_facts,
)
from wandb_repro.recording.fit.fit_count import FitCount, is_digested
from wandb_repro.recording.fit_numbers import FitNumbers
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.log_tap import tap_logs
from wandb_repro.recording.message_texts import (
    folder_not_stored,
    opening,
    secrets_left_out,
    stored_beside,
)
from wandb_repro.recording.messages import attempt, harmless, say, warn_once
from wandb_repro.recording.mode import Mode
from wandb_repro.recording.process_state import process
from wandb_repro.recording.publish import (
    Columns,
    GivenFiles,
    environment_line,
    publish_config,
    publish_summary,
)
from wandb_repro.recording.readers import Readers
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.tensorflow_files import note_pipelines
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.trail_sink import Note, Point, TrailSink
from wandb_repro.recording.wandb_run import Run, next_step
from wandb_repro.recording.watch_creation import watch_creation
from wandb_repro.recording.whole_run import WholeRun
from wandb_repro.store.capsule import FOLDER, TRAIL, Capsule
from wandb_repro.store.local import read_trail

if TYPE_CHECKING:
    from wandb_repro.capture.dataset import Measured
    from wandb_repro.recording.self_verdict import Outcome


_MOST_SPLITS = 16
"""Fits whose split is compared: a search over folds has hundreds."""


class Session:
    """The record of one run, while it runs. Raises OSError if its folder cannot be made."""

    def __init__(
        self,
        run: Run,
        host: Host,
        seeding: Seeding,
        options: Options,
        *,
        mode: Mode,
        world_size: int,
        earlier: tuple[str | Unavailable, ...] = (),
        ahead: EarlySnapshot | None = None,
    ) -> None:
        self.run = run
        self.seeding = seeding
        self.options = options
        self.capsule = Capsule(Path(run.dir) / FOLDER)
        self.capsule.folder.mkdir(parents=True, exist_ok=True)
        self.mode = mode
        self._owner = os.getpid()
        self.fits = 0
        self._open_fits = set[int]()
        self._fit_count = FitCount()
        self._ordinals = dict[int, int]()
        """Of the open fits: which of its model's fits each is, from 1."""
        self._stop: Stop | None = None
        self._exit: Stop | None = None
        """The last call of ``sys.exit``, until the script goes on."""
        self._named = set[str]()
        """Folders that were named as not stored."""
        self._columns: Columns | None = None
        self._finishing = self._ended = False
        self._lock = threading.RLock()
        self._live = mode.comparison()
        if all(session.ended for session in process.sessions.values()):
            registry = process.registry
            registry.begin_run() if process.sessions else registry.threads.begin_run()
        self._numbers = FitNumbers(self._live)
        self._readers = Readers(
            run, host, seeding, capsule=self.capsule, options=options, mode=mode, ahead=ahead
        )
        self._files = GivenFiles(run, self.capsule)
        trail = attempt(lambda: TrailRecorder(self.capsule.trail, self._live), "the trail")
        self._recorder = None if isinstance(trail, Unavailable) else trail
        self._whole = None if self._recorder is None else self._whole_run(self._recorder)
        note_own_run(run, host)
        stop_watching()
        self._facts: Facts = start_facts(
            self._readers,
            world_size=world_size,
            earlier_seeds=earlier,
            trail=trail if isinstance(trail, Unavailable) else TRAIL,
        )
        sealed = self._written_manifest()
        attempt(lambda: mode.report_whereabouts(run, self.capsule), "where the rerun's record is")
        self._announce()
        self._publish_config(sealed)
        self._files.give_manifest()
        self._readers.begin_background_work()

    @property
    def ended(self) -> bool:
        """Whether the record is closed, or belongs to the process that this one was forked from."""
        return self._ended or self._is_elsewhere()

    @harmless("what the snapshot leaves out")
    def _announce(self) -> None:
        code = self._readers.code
        if isinstance(code, Unavailable):
            warn_once(f"the source tree is not recorded: {code}")
        elif message := secrets_left_out(code.left_out):
            warn_once(message)

    def check_complete(self) -> None:
        """Wait for the parts that a rerun needs, for ``strict=True``.

        Raises:
            RecordingError: something is missing.
        """
        self._readers.settle()
        manifest = manifest_of(self._facts, self._readers)
        execution = manifest.execution
        parts: dict[str, object] = {
            "command": execution.command,
            "code": execution.code,
            "packages": execution.packages,
            "trail": manifest.trail,
        }
        if isinstance(execution.code, Code):
            parts["bundle"] = execution.code.bundle
        missing = [f"{name} ({why})" for name, why in parts.items() if isinstance(why, Unavailable)]
        if missing:
            raise RecordingError(
                f"strict=True, and this could not be recorded: {'; '.join(missing)}.",
                hint="Fix it, or leave out strict=True to train with a record that says so.",
            )

    @harmless("a fingerprint of the data")
    def fingerprint(
        self, name: str, x: object, y: object, path: str | None, artifact: str = ""
    ) -> None:
        """Digest a named part of the data."""
        # Not while ``init`` runs: most scripts call this once, if at all.
        from wandb_repro.capture.dataset import dataset_of

        if not self._is_elsewhere():
            with unrecorded():
                part = dataset_of(name, x, y, path=path, artifact=artifact)
                self._readers.data.add([warn_if_unknown(part)])

    @harmless("what a fit is validated on")
    def _split(self, arguments: Mapping[str, object], fit: int) -> None:
        """Count the rows that a fit both trains and validates on, if both are arrays."""
        from wandb_repro.capture.dataset import split_of
        from wandb_repro.capture.dataset.unread_split import files_in_both, why_unread

        if fit > _MOST_SPLITS:
            return
        with unrecorded():
            split, data = split_of(arguments, fit), self._readers.data
            if split is not None:
                data.add_split(*split)
            elif why := why_unread(arguments):
                data.add_unread_split(fit, why)
                if overlap := files_in_both(arguments, fit):
                    data.add_overlap(overlap)

    def add_data(self, known: Iterable[Measured]) -> None:
        """Add fingerprints that were taken before the run began."""
        self._readers.data.add(known)

    def begin_fit(self, model: object, arguments: Mapping[str, object] | None = None) -> int:
        """Open the next fit and return its number, once the slow background work has ended."""
        if self._is_elsewhere():
            return self.fits
        with self._lock:
            self.goes_on()
            self.fits += 1
            if self._whole is not None:
                self._whole.begin_fit()
            number = self._numbers.next_fit(model)
            if self.fits == 1:
                self._begin_training(number)
            self._open_fits.add(number)
            self._ordinals[number] = self._fit_count.count(model)
            self._begin_fit(model, arguments or {}, number)
            self._split(arguments or {}, number)
        return number

    @harmless("what exists before the first fit")
    def _begin_training(self, fit: int) -> None:
        if self._whole is not None:
            self._whole.begin_training(self._numbers.trained_by(fit))

    def digests_fit(self, fit: int) -> bool:
        """Tell whether the weights of this fit are digested if it is a small one."""
        # A rerun also digests what an original of an older version did.
        recorder, in_rerun = self._recorder, self._live is not None
        return is_digested(self._ordinals.get(fit, 1)) or bool(
            in_rerun and recorder is not None and recorder.digests_fit(fit)
        )

    @harmless("what only a process that trains knows")
    def _begin_fit(self, model: object, arguments: Mapping[str, object], fit: int) -> None:
        if self._recorder is not None:
            self._recorder.open_fit(fit)
        host, facts = self._readers.host, self._facts
        new = self._fit_count.has_new_settings(model, arguments)
        if not new and not is_digested(self._ordinals.get(fit, 1)):
            return
        self._note_files(arguments)
        settings = guarded(lambda: _settings(host, model, arguments, fit), "the model")
        if isinstance(facts, StartFacts):
            self._facts = training_facts(facts, self._readers, model).with_fit(settings)
            self._before_training()
        elif isinstance(facts, TrainingFacts):
            self._facts = facts.with_fit(settings)
            if self._facts is not facts or self._readers.is_notebook:
                self._written_manifest()  # now, since the process may be killed

    @harmless("the files of a pipeline")
    def _note_files(self, arguments: Mapping[str, object]) -> None:
        data = arguments.get("validation_data")
        also = cast("tuple[object, ...]", data) if isinstance(data, tuple) else (data,)
        with unrecorded():
            note_pipelines((arguments.get("x"), *also))

    def _before_training(self) -> None:
        self._announce()
        sealed = self._written_manifest()
        self._publish_config(sealed)
        self._publish_environment(sealed)
        self._files.give_all()
        self._await_end()
        if isinstance(sealed, Sealed):
            for line in opening(sealed.manifest):
                say(line)
        self._name_folders()

    @harmless("the folders that are not stored")
    def _name_folders(self) -> None:
        facts = self._facts
        extra = facts.extra if isinstance(facts, (TrainingFacts, EndFacts)) else None
        if isinstance(extra, StoredExtraFiles):
            for folder in extra.folders:
                if folder.absolute not in self._named:
                    self._named.add(folder.absolute)
                    say(folder_not_stored(folder))

    @harmless("the weights")
    def weights(self, point: Point, variables: Iterable[Variable]) -> None:
        """Digest the weights; in a rerun, compare them at once.

        Raises:
            RerunStopped: in a rerun with nothing left to compare.
        """
        if self._recorder is not None and not self._is_elsewhere():
            self._recorder.weights(point, variables)
            if point.moment == "final":
                self._numbers.note_digested(point.fit)

    @harmless("the trail")
    def write(self, record: Note) -> None:
        """Write another record of a fit; a checkpoint is on the disk when this returns."""
        if self._recorder is not None and not self._is_elsewhere():
            if isinstance(record, Granularity):
                record = self._numbers.described(record)
            self._recorder.write(record)

    @property
    def steps(self) -> int | Sequence[int] | None:
        """After which steps to digest if the callback has no ``steps``."""
        return self.options.steps

    def root_now(self, variables: Sequence[Variable]) -> str | None:
        """Return the root of variables and write nothing; None if nothing is recorded."""
        if self._recorder is None or self._is_elsewhere():
            return None
        return self._recorder.root_now(variables)

    def wants_step(self, step: int, *, fit: int, epochs: int) -> bool:
        """Tell whether this step of a fit is digested, regardless of the callback's ``steps``."""
        recorder = self._recorder
        return recorder is not None and recorder.wants_step(step, fit=fit, epochs=epochs)

    def wants_steps(self, fit: int) -> bool:
        """Tell whether any steps of a fit are digested, regardless of the callback's ``steps``."""
        return self._recorder is not None and self._recorder.wants_steps(fit)

    @harmless("the end of a fit")
    def end_fit(self, fit: int) -> None:
        """Close a fit, and free its digests.

        Raises:
            RerunStopped: in a rerun, if something that the fit did not train differs.
        """
        self._open_fits.discard(fit)
        self._ordinals.pop(fit, None)
        own, complete = self._numbers.trained_by(fit), self._numbers.end(fit)
        if self._recorder is None or self._is_elsewhere():
            return
        self._recorder.end_fit(fit)
        # The end of the run follows at once if that closes the fit.
        if complete and self._whole is not None and not self._finishing:
            self._whole.end_fit(own)

    @harmless("how the script ends")
    def stopped_by(self, error: BaseException) -> None:
        """Note the exception that is about to end the process."""
        if not self.ended:
            self._stop = stop_of(error, self._readers.root)

    @harmless("how the script ends")
    def exits(self, status: object, caller: FrameType) -> None:
        """Note a call of ``sys.exit``: it is about to end the process, unless it is caught."""
        if not self.ended:
            self._exit = stop_by_exit(status, caller, self._readers.root)

    def goes_on(self) -> None:
        """Note that the script goes on: a call of ``sys.exit`` before was caught."""
        self._exit = None

    def finish(self, *, at_exit: bool = False) -> None:
        """Close the record, once, before W&B closes its run. Never raises.

        Args:
            at_exit: whether the process is exiting.
        """
        if self.ended:
            return
        stop = self._what_stopped(at_exit=at_exit)
        self._finishing = True
        self._finish_watches(stop)
        self._ended = True
        ending = self._ending(stop)
        self._read_at_end(ending)
        if self._live is not None:
            self._live.ends_with(ending.status)
        self._end_whole_run()
        self._end_trail(ending.status)
        sealed = self._written_manifest()
        self._publish_config(sealed)
        if isinstance(sealed, Sealed):
            self._conclude(sealed)
        self._files.give_all()
        guarded(self._readers.close, "what was needed only while recording")
        # A rerun that was stopped at a difference trains no further.
        if self._recorder is not None and not (self._live and self._live.stopped):
            online = not getattr(self.run, "offline", False)
            watch_after_end(self.capsule.trail, online=online)

    @harmless("loops that are still recorded")
    def _finish_watches(self, stop: Stop | None) -> None:
        complete = stop is None or stop.kind == "SystemExit"
        for watch in tuple(process.open_watches.pop(self, ())):
            with contextlib.suppress(RerunStopped):  # the rerun ends anyway
                watch.close(complete=complete)

    @harmless("what only a process that has done its work knows")
    def _read_at_end(self, ending: Ending) -> None:
        if isinstance(self._facts, EndFacts):
            return
        self._facts = end_facts(self._facts, self._readers, ending)
        self._announce()
        extra = self._facts.extra
        if not isinstance(extra, Unavailable) and (message := stored_beside(extra.added)):
            say(message)
        self._name_folders()

    def _whole_run(self, recorder: TrailRecorder) -> WholeRun:
        watch_creation()
        whole = WholeRun(recorder, lambda: bool(self._open_fits), next_step(self.run))
        if reason := tap_logs():
            whole.registry.notes[f"the history is not recorded: {reason}"] = None
        return whole

    @harmless("a logged row")
    def log(self, data: Mapping[str, object], step: int | None, commit: bool | None) -> None:
        """Keep the values of a call of ``run.log``; at some rows, digest everything that exists.

        Raises:
            RerunStopped: in a rerun, if the state differs from the original's.
        """
        self._exit = None  # as in goes_on, without its call: rows are many
        if self._whole is not None and not self.ended:
            self._whole.log(data, step, commit)

    @harmless("the state at the end of the run")
    def _end_whole_run(self) -> None:
        # A rerun that was stopped at a difference has nothing left to compare.
        if self._whole is not None and not (self._live and self._live.stopped):
            self._whole.end(self.run)

    @harmless("the end of the trail")
    def _end_trail(self, status: Status) -> None:
        if self._recorder is not None:
            self._recorder.end(status)

    def _what_stopped(self, *, at_exit: bool) -> Stop | None:
        # A script may finish its run in a ``finally`` or ``with`` block that an exception leaves.
        if self._stop is None and (handled := sys.exc_info()[1]) is not None:
            self.stopped_by(handled)
        return self._stop or (self._exit if at_exit else None)

    def _ending(self, stop: Stop | None) -> Ending:
        stopped_by_us = self._live is not None and self._live.stopped
        return ending_of(stop, is_training=bool(self._open_fits), stopped_by_us=stopped_by_us)

    def _written_manifest(self) -> Sealed | Unavailable:
        """Return the record so far; it is also on the disk, unless that is full."""
        sealed = attempt(lambda: manifest_of(self._facts, self._readers).sealed(), "the manifest")
        if isinstance(sealed, Sealed):
            attempt(
                lambda: write_atomically(self.capsule.manifest, sealed.document),
                "the manifest on the disk",
            )
        return sealed

    @harmless("the run's columns on W&B")
    def _publish_config(self, sealed: Sealed | Unavailable) -> None:
        if isinstance(sealed, Sealed):
            self._columns = publish_config(self.run, sealed.manifest, self._columns)

    @harmless("the record's files on W&B")
    def _await_end(self) -> None:
        # Imported now: a package may be upgraded during the training, before the card is written.
        from wandb_repro.recording.card import write_first_card

        write_first_card(self.capsule)
        self._files.await_end()

    @harmless("the run's summary on W&B")
    def _publish_environment(self, sealed: Sealed | Unavailable) -> None:
        """Show the environment on the run's page while the run trains."""
        if isinstance(sealed, Sealed):
            publish_summary(self.run, {"environment": environment_line(sealed.manifest)}, {})

    def _conclude(self, sealed: Sealed) -> None:
        """Verify a rerun, write the card, and publish both."""
        outcome = attempt(lambda: self.mode.verdict(sealed.manifest, self.capsule), "the verdict")
        verified = None if isinstance(outcome, Unavailable) else outcome
        trail = attempt(lambda: read_trail(self.capsule), "the trail")
        if isinstance(trail, Unavailable):
            self._publish_summary(sealed, verified, {})
            return
        card = attempt(lambda: self._card(sealed, trail, verified), "the card")
        self._publish_summary(sealed, verified, {} if isinstance(card, Unavailable) else card)
        self._say_last(sealed.manifest, trail)

    def _card(self, sealed: Sealed, trail: Trail, outcome: Outcome | None) -> dict[str, Any]:
        """Write the card and return its entry in the summary."""
        from wandb_repro.recording.card import card_entry, write_card

        write_card(self.capsule, sealed.manifest, trail, outcome)
        return card_entry(self.run, self.capsule)

    @harmless("whether this run can be rerun")
    def _say_last(self, manifest: Manifest, trail: Trail) -> None:
        from wandb_repro.recording.last_line import last_line  # only needed at the end

        if self.mode.rerun_of is None:
            started_in = self._readers.host.started_in
            say(last_line(manifest, trail, files=Path(self.run.dir), started_in=started_in))

    @harmless("the run's summary on W&B")
    def _publish_summary(
        self, sealed: Sealed, outcome: Outcome | None, card: dict[str, Any]
    ) -> None:
        values = {"environment": environment_line(sealed.manifest), "manifest": sealed.digest}
        if self._recorder is not None and self._recorder.last_root:
            values["weights"] = f"{ROOT_ALGORITHM}:{self._recorder.last_root}"
        if outcome is not None:
            values["verdict"] = outcome.verdict.grade
        publish_summary(self.run, values, card)

    def _is_elsewhere(self) -> bool:
        """Tell whether this is a forked child of the recorded process."""
        return os.getpid() != self._owner


def _settings(
    host: Host, model: object, arguments: Mapping[str, object], fit: int
) -> FitSettings | Unavailable:
    if isinstance(model, LoopModels):
        return probe_loop(host, model, fit)
    return probe_settings(host, model, arguments, fit)


if TYPE_CHECKING:
    _: type[TrailSink] = Session
