"""Recording or rerun: chosen from the environment, and what differs between the two."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.manifests import small_manifest
from wandb_repro.errors import UsageError
from wandb_repro.files import write_atomically
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import (
    CHILDREN_VARIABLE,
    REQUEST_VARIABLE,
    Beginning,
    Options,
    RerunRequest,
    Whereabouts,
)
from wandb_repro.recording.children import handover
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.mode import ChildOfRerun, Recording, Rerun, current_mode, mode_of
from wandb_repro.recording.process_state import ProcessState, process
from wandb_repro.store.capsule import Capsule


class Config:
    """A run's config, which W&B lets nobody change unasked."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def update(self, values: dict[str, Any], allow_val_change: bool | None = None) -> None:
        assert allow_val_change
        self.values.update(values)

    def keys(self) -> Any:
        return self.values.keys()

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def run_with(**config: Any) -> Any:
    settings = SimpleNamespace(disable_code=False, disable_git=False, save_code=None)
    return SimpleNamespace(id="again", offline=True, config=Config(config), settings=settings)


def rerun(folder: Path, *, outputs: bool = False, **execution: Any) -> Rerun:
    """Return the mode of a process that repeats a run with this execution."""
    manifest = small_manifest(b"", {})
    changed = manifest.execution.model_copy(update=execution)
    capsule = Capsule(folder / "original")
    capsule.folder.mkdir()
    sealed = manifest.model_copy(update={"execution": changed}).sealed()
    write_atomically(capsule.manifest, sealed.document)
    return Rerun(
        RerunRequest(
            capsule=str(capsule.folder),
            original="ada/digits/first",
            code_root=str(folder / "code"),
            whereabouts=str(folder / "whereabouts.json"),
            keep_going=False,
            until_epoch=None,
            until_step=None,
            allow_outputs=outputs,
        )
    )


def ended(mode: object, *, has_ended: bool) -> Any:
    return SimpleNamespace(mode=mode, ended=has_ended)


@pytest.mark.parametrize("environ", [{}, {REQUEST_VARIABLE: ""}])
def test_a_process_without_a_request_records(environ: dict[str, str]) -> None:
    assert mode_of(environ) == Recording()


def test_a_process_with_a_request_reruns(tmp_path: Path) -> None:
    mode = rerun(tmp_path)
    path = tmp_path / "request.json"
    path.write_text(mode.request.model_dump_json())
    assert mode_of({REQUEST_VARIABLE: str(path)}) == mode


@pytest.mark.parametrize("text", [None, "", "{}", "[1]"])
def test_a_request_that_cannot_be_read_is_wrong_use(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "request.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match="not a rerun request"):
        mode_of({REQUEST_VARIABLE: str(path)})


def test_the_mode_is_chosen_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "mode", None)
    monkeypatch.delenv(REQUEST_VARIABLE, raising=False)
    chosen = current_mode()
    monkeypatch.setenv(REQUEST_VARIABLE, "/missing")
    assert current_mode() is chosen


def test_a_rerun_takes_no_identity_from_the_script_and_a_recording_all() -> None:
    given = {"project": "p", "id": "mine", "resume": "must"}
    request = cast("RerunRequest", None)
    assert Recording().wandb_arguments(given) == given
    assert Rerun(request).wandb_arguments(given) == {"project": "p", "job_type": "rerun"}


def test_a_rerun_goes_to_the_project_of_the_plan_whatever_the_script_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "swept")
    mode = rerun(tmp_path, earlier_seeds=("5",))
    for begun, project in ((0, "script"), (1, "swept")):
        monkeypatch.setattr(ProcessState, "begun", begun)
        assert mode.wandb_arguments({"project": "script"})["project"] == project
    assert mode.wandb_arguments({})["project"] == "swept"


def test_a_rerun_publishes_only_when_it_may(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert Recording().publishes
    assert not rerun(tmp_path / "a").publishes
    assert rerun(tmp_path / "b", outputs=True).publishes


def test_runs_before_the_repeated_one_are_recorded(tmp_path: Path) -> None:
    mode = rerun(tmp_path, earlier_seeds=("5", "6"))
    assert mode.earlier_runs == 2
    assert [mode.for_next_run(begun) is mode for begun in range(4)] == [False, False, True, True]
    assert mode.for_next_run(1) == Recording()


def test_each_run_of_a_rerun_has_the_seed_it_had(tmp_path: Path) -> None:
    mode = rerun(tmp_path, seed="7", earlier_seeds=("5",), deterministic=True)
    first = mode.seeding(Options(seed=1, deterministic=False), None, 0)
    second = mode.seeding(Options(seed=1, deterministic=False), first, 1)
    assert [(it.seed, it.asked, it.deterministic, it.drawn) for it in (first, second)] == [
        (5, 1, False, False),
        (7, 1, True, False),
    ]


def test_a_rerun_has_the_early_seed_until_init_replaces_it(tmp_path: Path) -> None:
    mode = rerun(tmp_path, seed="7", early_seed="5")

    early = mode.seeding(Options(), None, 0)

    assert (early.seed, mode.seeding(Options(seed=7), early, 0).seed) == (5, 7)


def test_a_rerun_begins_with_the_checkpoints_it_was_given_and_saves_none(tmp_path: Path) -> None:
    start = Beginning(fit=2, epoch=3, checkpoint="/ckpt/fit-2.ckpt", checkpoint_sha256="0" * 64)
    plain = rerun(tmp_path)
    mode = Rerun(plain.request.model_copy(update={"beginnings": (start,)}))
    assert [mode.beginning_of(fit) for fit in (1, 2, None)] == [None, start, None]
    assert not mode.saves_checkpoints
    assert Recording().saves_checkpoints
    assert Recording().beginning_of(2) is None


def test_a_recording_draws_a_seed_only_where_none_was_given() -> None:
    given = Recording().seeding(Options(seed=3), None, 0)
    assert (given.seed, given.drawn) == (3, False)


def test_nothing_is_trained_after_the_run_that_is_repeated(tmp_path: Path) -> None:
    mode = rerun(tmp_path)
    mode.check_goes_on([ended(mode, has_ended=False), ended(Recording(), has_ended=True)])
    with pytest.raises(RerunStopped):
        mode.check_goes_on([ended(mode, has_ended=True)])


def test_a_recording_lets_any_number_of_runs_follow() -> None:
    Recording().check_goes_on([ended(Recording(), has_ended=True)])


def test_a_rerun_gets_the_recorded_config_and_keeps_what_is_new(tmp_path: Path) -> None:
    run = run_with(lr=0.1, new=1)
    rerun(tmp_path, config={"lr": 0.5, "layers": [1, 2]}).restore_config(run)
    assert run.config.values == {"lr": 0.5, "layers": [1, 2], "new": 1}


def test_a_config_that_was_not_recorded_changes_nothing(tmp_path: Path) -> None:
    run = run_with(lr=0.1)
    rerun(tmp_path, config=Unavailable(unavailable="no config")).restore_config(run)
    assert run.config.values == {"lr": 0.1}


@pytest.mark.parametrize(("code", "kept"), [("auto", "run"), ("upload", "run"), ("local", "local")])
def test_cells_are_kept_where_code_is(code: str, kept: str) -> None:
    assert Recording().cells_kept(run_with(), code) == kept


def test_cells_are_not_kept_where_code_is_off() -> None:
    assert isinstance(Recording().cells_kept(run_with(), "off"), Unavailable)


def test_wheels_of_own_sources_stay_here_with_code_local_but_not_in_a_rerun(
    tmp_path: Path,
) -> None:
    assert "local" in Recording().wheels_withheld(run_with(), "local")
    assert Recording().wheels_withheld(run_with(), "auto") == ""
    assert rerun(tmp_path).wheels_withheld(run_with(), "local") == ""


def test_a_rerun_says_where_its_record_is(tmp_path: Path) -> None:
    rerun(tmp_path).report_whereabouts(run_with(), Capsule(tmp_path / "again"))
    found = Whereabouts.model_validate_json((tmp_path / "whereabouts.json").read_bytes())
    assert found == Whereabouts(capsule=str(tmp_path / "again"), run="again", url="")


def test_what_a_rerun_made_for_itself_is_no_input_of_the_training(tmp_path: Path) -> None:
    assert rerun(tmp_path).own_folders == (tmp_path / "code", tmp_path / "original")
    assert Recording().own_folders == ()


def test_a_process_that_a_reruns_training_starts_records_a_run_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "order.json"
    file.write_text(rerun(tmp_path).request.model_dump_json())
    monkeypatch.setenv(CHILDREN_VARIABLE, json.dumps({"pid": 1, "file": "training"}))
    mode = mode_of({REQUEST_VARIABLE: str(file)})
    assert mode == ChildOfRerun()
    assert (mode.rerun_of, mode.comparison(), mode.publishes) == (None, None, False)
    given = {"id": "of the original's child", "project": "p"}
    assert mode.wandb_arguments(given) == {"project": "p", "job_type": "rerun"}


def nothing_seeded(before: int | None) -> dict[str, int]:
    """Return no seed of the script: other tests of this process may have set some."""
    del before
    return {}


def test_a_workers_seed_is_the_same_in_a_rerun_if_none_was_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {"pid": 1, "file": str(tmp_path / "training"), "seed": 7}
    monkeypatch.setenv(CHILDREN_VARIABLE, json.dumps(given))
    monkeypatch.setattr(handover, "worker_name", lambda: "SpawnProcess-1")
    monkeypatch.setattr("wandb_repro.recording.mode.seeds_of_script", nothing_seeded)
    drawn = [Recording().seeding(Options(), None, 0) for _ in range(2)]
    assert drawn[0].seed == drawn[1].seed
    assert drawn[0].drawn
    assert Recording().seeding(Options(seed=3), None, 0).seed == 3
