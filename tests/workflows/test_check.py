"""What ``check`` foresees is held against what then happens: in one setting here, in all slowly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.foreseen import HARMLESS, SETTINGS, Laboratory
from tests.support.recorded import Ask, Project
from tests.support.records import changed, full_manifest
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.cpu import probe_processor
from wandb_repro.manifest.base import Unavailable
from wandb_repro.store.capsule import Capsule
from wandb_repro.verify.cpu_instructions import CLASSES, vector_class
from wandb_repro.workflows.check import Aim, predict_here
from wandb_repro.workflows.verify_capsules import verify_capsules


@pytest.mark.slow
def test_what_is_foreseen_to_change_no_bits_changes_none(
    keras_run: Project, tmp_path: Path, ask: Ask
) -> None:
    shell = {
        "PYTHONHASHSEED": "3",
        "TF_NUM_INTEROP_THREADS": "4",
        "OMP_NUM_THREADS": "1",
        "TZ": "Asia/Tokyo",
    }
    other = keras_run.copy(tmp_path / "elsewhere")

    foreseen = ask("check", keras_run.run_folder, "--by-hand", "--json", cwd=other.folder, **shell)
    folder = {"WANDB_DIR": str(tmp_path)}
    trained = other.record("train.py", **cast("Any", {**folder, **shell}))

    assert (trained.returncode, foreseen.data["expected"]) == (0, "identical")
    (run,) = (tmp_path / "wandb").glob("offline-run-*")
    assert verify_capsules(keras_run.capsule, Capsule(run / "files" / "repro")).grade == "identical"


def test_a_path_of_the_system_in_a_record_is_not_looked_at(tmp_path: Path) -> None:
    unread = {"unavailable": "not read"}
    device = {"path": "/dev/zero", "absolute": "/dev/zero", "size_bytes": unread}
    manifest = changed(full_manifest(), {"description.inputs": [device]})
    (tmp_path / "manifest.json").write_bytes(manifest.to_bytes())
    foreseen = predict_here(Capsule(tmp_path), Aim(by_hand=True), tmp_path / "work")
    assert any(reason.startswith("/dev/zero") for reason in foreseen.unknown)
    assert not any("/dev/zero" in finding.sentence for finding in foreseen.findings)


SAME, OTHER = ("identical", "identical"), ("different", "diverged")
# Whether another number of threads changes the bits is the processor's to decide: some split a sum
# between threads where others compute it on one. ``check`` must warn of it on every processor.
OTHER_THREADS = ("different", "identical or diverged")


def instructions() -> tuple[str, ...]:
    processor = probe_processor(Host())
    found = processor.instruction_sets
    return () if isinstance(found, Unavailable) else found


def capped_to(name: str) -> Callable[[], tuple[str, str]]:
    """Return what a cap is to give: nothing, where the processor has no more than that."""

    def expected() -> tuple[str, str]:
        own = vector_class(instructions())
        return OTHER if own and CLASSES.index(own) > CLASSES.index(name) else SAME

    return expected


EXPECTED: dict[str, tuple[str, str] | Callable[[], tuple[str, str]]] = {
    "nothing": SAME,
    "1 thread": OTHER_THREADS,
    "4 threads": OTHER_THREADS,
    "width not set, 1 core": OTHER_THREADS,
    "width as recorded, 1 core": SAME,
    "oneDNN operations on": OTHER,
    "capped to AVX2": capped_to("AVX2"),
    "capped to SSE4.1": capped_to("SSE41"),
    "op determinism on": OTHER,
    "TF_DETERMINISTIC_OPS=1": OTHER,
    "XLA, by a variable": OTHER,
    "another seed": OTHER,
    "hash seed": SAME,
    "time zone and language": SAME,
    "another folder": SAME,
    "4 inter-op threads": SAME,
    "OpenMP threads": SAME,
    "a GPU's switch": SAME,
}


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """Give a recorded training that can be done again in other settings."""
    return Laboratory(tmp_path_factory.mktemp("laboratory") / "lab")


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_foreseen_of_a_setting_is_what_happens_in_it(
    laboratory: Laboratory, name: str
) -> None:
    both = laboratory.look(name, SETTINGS[name])

    expected = EXPECTED[name]
    foreseen, seen = expected() if callable(expected) else expected
    assert both.foreseen == foreseen, both
    assert both.seen in seen.split(" or "), both
    assert bool(both.why) == (both.foreseen != "identical")


def test_every_setting_is_expected_to_give_something() -> None:
    assert set(EXPECTED) == set(SETTINGS)
    assert {EXPECTED[name] for name in HARMLESS} == {SAME}
