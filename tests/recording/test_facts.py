"""The facts of a run in three phases, and the manifest of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.fake_host import FakeHost
from tests.support.fake_run import FakeConfig, FakeRun
from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, Code
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import InputFile
from wandb_repro.manifest.manifest import Ending
from wandb_repro.manifest.training import FitSettings
from wandb_repro.recording.datasets import DataParts
from wandb_repro.recording.earlier_runs import SCRIPTS_OWN
from wandb_repro.recording.extra_files import StoredExtraFiles
from wandb_repro.recording.facts import (
    EndFacts,
    StartFacts,
    TrainingFacts,
    end_facts,
    manifest_of,
    start_facts,
)
from wandb_repro.recording.mode import Recording
from wandb_repro.recording.readers import Readers
from wandb_repro.recording.seeding import Seeding

FULL = full_manifest()
READ = InputFile(path="../data.csv", absolute="/home/ada/data.csv", size_bytes=10_000)
LATER = Unavailable(unavailable="training has not begun")


@dataclass
class FakeReaders:
    """Stands in for ``Readers``: everything is known at once."""

    run: FakeRun = field(default_factory=lambda: FakeRun("/project/wandb/run-1/files"))
    host: FakeHost = field(default_factory=FakeHost)
    mode: Recording = field(default_factory=Recording)
    data: DataParts = field(default_factory=DataParts)
    outputs: Any = field(default_factory=lambda: SimpleNamespace(record=None))
    code: Code | Unavailable = FULL.execution.code
    packages: Any = FULL.execution.packages
    root: Path | None = None
    seed: int | None = 7
    replaced: int | None = None
    volatile: tuple[str, ...] = ()
    calls: list[str] = field(default_factory=list[str])
    found_at_end: StoredExtraFiles | Unavailable = LATER

    @property
    def seeding(self) -> Seeding:
        found = Seeding(self.seed, asked=self.seed, deterministic=None, drawn=False)
        found.replaced = self.replaced
        return found

    def with_cells(self, command: Any) -> Any:
        return command

    def with_extra_files(self, code: Code, extra: StoredExtraFiles | Unavailable) -> Code:
        added = extra if isinstance(extra, Unavailable) else extra.added
        return code.model_copy(update={"added": added})

    def extra_files(self, known: object, until: str) -> StoredExtraFiles | Unavailable:
        self.calls.append(f"extra files until {until}")
        return self.found_at_end

    def input_files(self) -> tuple[InputFile, ...]:
        return (READ,)

    def settle(self) -> None:
        self.calls.append("settle")

    def read_at_end(self) -> None:
        self.calls.append("read at end")


def faked(**values: Any) -> Readers:
    return cast("Readers", FakeReaders(**values))


def started(readers: Readers | None = None) -> StartFacts:
    facts = start_facts(readers or faked(), world_size=2, earlier_seeds=("3",), trail="trail.jsonl")
    return replace(facts, command=FULL.execution.command)


def training(**changes: Any) -> TrainingFacts:
    facts = TrainingFacts(
        start=started(),
        machine=FULL.description.machine,
        runtime=FULL.description.runtime,
        accelerator=FULL.description.accelerator,
        extra=LATER,
        fits=(),
        no_fits=LATER,
    )
    return replace(facts, **changes)


def settings(fit: int, batch_size: int = 32) -> FitSettings:
    assert isinstance(FULL.description.fits, tuple)
    update = {"fit": fit, "arguments": {"batch_size": batch_size}}
    return FULL.description.fits[0].model_copy(update=update)


def extra(*folders: str) -> StoredExtraFiles:
    assert isinstance(FULL.execution.code, Code)
    assert isinstance(FULL.execution.code.added, Added)
    return StoredExtraFiles(FULL.execution.code.added, (), folders)


def test_a_fit_like_the_one_before_adds_nothing() -> None:
    once = training().with_fit(settings(1))

    assert once.with_fit(settings(2)) is once
    assert once.fits == (settings(1),)


def test_a_fit_with_other_settings_is_added_and_the_facts_before_are_unchanged() -> None:
    once = training().with_fit(settings(1))
    twice = once.with_fit(settings(2, batch_size=8))

    assert twice.fits == (settings(1), settings(2, batch_size=8))
    assert once.fits == (settings(1),)


def test_a_fit_whose_settings_cannot_be_read_leaves_its_reason() -> None:
    reason = Unavailable(unavailable="Keras has no compile config")
    facts = training().with_fit(reason)

    assert (facts.fits, facts.no_fits) == ((), reason)
    assert manifest_of(facts, faked()).description.fits == reason


def test_the_settings_of_at_most_sixteen_fits_are_kept() -> None:
    facts = training()
    for number in range(1, 21):
        facts = facts.with_fit(settings(number, batch_size=number))

    assert [fit.fit for fit in facts.fits] == list(range(1, 17))
    assert facts.with_fit(Unavailable(unavailable="lost")) is facts


def test_at_the_start_what_training_shows_is_not_known_yet() -> None:
    readers = faked()
    manifest = manifest_of(started(readers), readers)
    described = manifest.description

    unknown = (described.machine, described.accelerator, described.fits)
    assert unknown == (LATER, LATER, LATER)
    assert manifest.ending == Unavailable(unavailable="the run has not ended")
    assert described.inputs == (READ,)
    assert manifest.trail == "trail.jsonl"
    execution = manifest.execution
    assert (execution.seed, execution.world_size, execution.earlier_seeds) == ("7", 2, ("3",))
    assert execution.early_seed is None


def test_the_seed_that_init_replaced_is_recorded() -> None:
    readers = faked(replaced=3)

    assert manifest_of(started(readers), readers).execution.early_seed == "3"


def test_in_training_the_machine_and_each_fit_are_known_and_the_end_is_not() -> None:
    manifest = manifest_of(training().with_fit(settings(1)), faked())

    assert manifest.description.machine == FULL.description.machine
    assert manifest.description.fits == (settings(1),)
    assert isinstance(manifest.ending, Unavailable)


def test_at_the_end_what_was_used_outside_the_snapshot_is_in_the_record() -> None:
    ended = EndFacts(training(), extra("/home/ada/shared"), Ending(status="finished", detail=""))

    manifest = manifest_of(ended, faked())

    code, command = manifest.execution.code, manifest.execution.command
    assert isinstance(code, Code)
    assert isinstance(command, Command)
    assert code.added == extra().added
    assert command.python_path[-1] == "/home/ada/shared"
    assert manifest.description.inputs == ()
    assert manifest.ending == Ending(status="finished", detail="")


def test_a_run_that_ends_without_training_has_the_machine_and_no_fit() -> None:
    fake = FakeReaders()
    ended = end_facts(started(), cast("Readers", fake), Ending(status="failed", detail="OSError"))

    assert ended.training.machine != LATER
    assert (ended.training.fits, ended.training.accelerator) == ((), LATER)
    assert fake.calls == ["settle", "read at end", "extra files until end"]


@pytest.mark.parametrize(("seed", "recorded"), [(0, "0"), (None, SCRIPTS_OWN)])
def test_a_seed_is_recorded_as_text_or_as_the_scripts_own(seed: int | None, recorded: Any) -> None:
    readers = faked(seed=seed)

    assert manifest_of(started(readers), readers).execution.seed == recorded


def test_the_config_of_the_start_stays_while_that_of_the_description_follows_the_run() -> None:
    run = FakeRun("/project/wandb/run-1/files", config=FakeConfig(lr=0.1))
    readers = faked(run=run)
    facts = started(readers)
    run.config.update({"best": 0.9})

    manifest = manifest_of(facts, readers)

    assert manifest.execution.config == {"lr": 0.1}
    assert manifest.description.config == {"lr": 0.1, "best": 0.9}
