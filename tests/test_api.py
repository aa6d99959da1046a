"""``init``, ``attach`` and ``fingerprint`` on real W&B runs, in this process."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.training import Recorded, Young, data, finished, log_of, recorded_in, summary_of
from wandb_repro import api, attach, fingerprint, init
from wandb_repro.errors import RecordingError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.training import Seed, Seeds
from wandb_repro.recording.publish import environment_line


def keras() -> Any:
    import keras

    return keras


def tensorflow() -> Any:
    import tensorflow

    return tensorflow


def drawn() -> tuple[Any, ...]:
    """Return the next number of each generator: Python's, NumPy's, TensorFlow's, Keras'."""
    import numpy as np

    return (
        random.random(),  # noqa: S311 - what is under test
        float(cast("Any", np.random).rand()),
        float(tensorflow().random.uniform(())),
        float(keras().random.uniform(())),
    )


def seeds_of(recorded: Recorded) -> Seeds:
    seeds = recorded.manifest.description.seeds
    assert isinstance(seeds, Seeds)
    return seeds


def by_generator(recorded: Recorded) -> dict[str, Seed]:
    return {seed.generator: seed for seed in seeds_of(recorded).generators}


def started(**options: Any) -> Any:
    """Return a run that stores no code, which most of these tests are not about."""
    usual: dict[str, Any] = {"project": "p", "code": "off"}
    return init(**{**usual, **options})


def test_a_seed_sets_python_numpy_tensorflow_and_keras(offline: Young) -> None:
    keras().utils.set_random_seed(5)
    expected = drawn()
    offline.forget_keras()
    run = started(seed=5)
    assert drawn() == expected
    recorded = finished(run)
    assert recorded.manifest.execution.seed == "5"
    found = by_generator(recorded)
    assert {str(seed.value) for seed in found.values()} == {"5"}
    assert set(found) == {"python", "numpy", "tensorflow", "keras"}
    assert {seed.set_by for seed in found.values()} == {"wandb_repro.init"}


def test_without_a_seed_one_is_drawn_recorded_and_another_one_each_time(offline: Young) -> None:
    offline.forget_keras()
    one = finished(started())
    two = finished(started())
    assert seeds_of(one).drawn
    assert isinstance(one.manifest.execution.seed, str)
    assert one.manifest.execution.seed != two.manifest.execution.seed
    offline.begin()
    offline.forget_keras()
    run = started(seed=int(str(two.manifest.execution.seed)))
    repeated = drawn()
    finished(run)
    random.seed(int(str(two.manifest.execution.seed)))
    assert repeated[0] == random.random()  # noqa: S311 - what is under test


def test_the_seed_of_the_scripts_own_set_random_seed_is_kept_and_recorded(offline: Young) -> None:
    keras().utils.set_random_seed(11)
    expected = drawn()
    keras().utils.set_random_seed(11)
    run = started()
    assert drawn() == expected
    recorded = finished(run)
    assert isinstance(recorded.manifest.execution.seed, Unavailable)
    found = by_generator(recorded)
    assert {(str(seed.value), seed.set_by) for seed in found.values()} == {("11", "the script")}
    assert len(found) == 4


def test_a_seed_of_tensorflow_alone_is_kept_and_what_it_leaves_open_is_told(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    offline.forget_keras()
    tensorflow().random.set_seed(12)
    state = random.getstate()
    recorded = finished(started())
    assert random.getstate() == state
    found = by_generator(recorded)
    assert found["tensorflow"].value == "12"
    assert isinstance(found["python"].value, Unavailable)
    assert "keras.utils.set_random_seed" in capfd.readouterr().err


def test_a_seed_that_the_script_sets_after_init_is_recorded_as_its_own(offline: Young) -> None:
    from tests.support.training import dense_model
    from wandb_repro.keras import ReproCallback

    run = started(seed=5)
    keras().utils.set_random_seed(13)
    dense_model().fit(*data(), verbose=0, callbacks=[cast("Any", ReproCallback())])
    recorded = finished(run)
    assert recorded.manifest.execution.seed == "5"
    assert by_generator(recorded)["keras"].value == "13"
    assert by_generator(recorded)["keras"].set_by == "the script"


def test_a_model_built_before_init_is_warned_of_once_and_recorded(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    offline.forget_keras()
    keras().layers.Dense(1)
    recorded = finished(started(seed=5))
    assert capfd.readouterr().err.count("a Keras model was built before init") == 1
    assert by_generator(recorded)["keras"].when == "after first use"
    assert by_generator(recorded)["tensorflow"].when == "after first use"


def test_a_later_run_of_the_process_is_seeded_anew_and_recorded_so(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    first = finished(started(seed=5))
    keras().layers.Dense(1)
    run = started(seed=7)
    state = random.getstate()
    second = finished(run)
    random.seed(7)
    assert random.getstate() == state
    assert [it.manifest.execution.seed for it in (first, second)] == ["5", "7"]
    assert "is ignored" not in (said := capfd.readouterr().err)
    assert "built before init" not in said


def test_init_called_twice_gives_the_same_run_and_keeps_the_first_seed(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    run = started(seed=5)
    again = started(seed=6, deterministic=True)
    assert again is run
    said = capfd.readouterr().err
    assert "seed=6 is ignored: this process was already seeded with 5" in said
    assert "deterministic=True is ignored here" in said
    assert finished(run).manifest.execution.seed == "5"


def test_determinism_is_left_as_it_is_unless_it_is_asked_for(offline: Young) -> None:
    from tensorflow.python.framework import config

    switch = cast("Any", config)
    recorded = finished(started(seed=5))
    assert not switch.is_op_determinism_enabled()
    assert recorded.manifest.execution.deterministic is None
    try:
        asked = finished(started(seed=5, deterministic=True))
        assert switch.is_op_determinism_enabled()
    finally:
        switch.disable_op_determinism()
    determinism = asked.manifest.description.determinism
    assert not isinstance(determinism, Unavailable)
    assert determinism.asked is True
    assert [(one.name, one.value) for one in determinism.switches] == [("op determinism", "on")]


def test_an_active_run_is_attached_to_its_config_merged_and_the_rest_told(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    import wandb

    run = wandb.init(project="p", config={"lr": 1, "depth": 2})
    assert init(config={"lr": 3}, project="other", name="late", code="off") is run
    told = capfd.readouterr().err
    assert told.count("name, project ignored") == 1
    assert dict(run.config)["lr"] == 3
    recorded = finished(run)
    assert recorded.manifest.execution.config == {"lr": 3, "depth": 2}


def test_attaching_twice_is_attaching_once(offline: Young) -> None:
    import wandb

    run = wandb.init(project="p")
    attach(run, code="off")
    session = api.find_session(run)
    assert attach(run, code="off") is run
    assert api.find_session(run) is session
    recorded = finished(run)
    assert [record.kind for record in recorded.trail.records] == ["start", "end"]


def test_a_run_that_has_ended_is_not_begun_again(offline: Young) -> None:
    run = started(seed=5)
    finished(run)
    state = random.getstate()
    attach(run)
    assert api.find_session(run) is None
    assert random.getstate() == state


@pytest.mark.parametrize("reinit", ["create_new", "finish_previous"])
def test_another_run_is_started_where_reinit_asks_for_one(offline: Young, reinit: Any) -> None:
    first = started(seed=5)
    second = started(reinit=reinit)
    assert second is not first
    both = [finished(second), finished(first)]
    assert all(it.trail.end is not None for it in both)


def test_a_wrong_option_is_refused_before_a_run_begins(offline: Young) -> None:
    import wandb

    with pytest.raises(UsageError, match="seed=-1 is not between"):
        init(project="p", seed=-1)
    with pytest.raises(UsageError, match="code='sometimes' is not one of"):
        init(project="p", code=cast("Any", "sometimes"))
    assert wandb.run is None


def test_strict_raises_before_training_and_names_what_is_missing(offline: Young) -> None:
    with pytest.raises(RecordingError, match=r"code \(code=\"off\"") as caught:
        started(strict=True)
    assert "leave out strict=True" in caught.value.hint
    import wandb

    assert wandb.run is not None


def test_strict_says_nothing_where_nothing_is_missing(offline: Young) -> None:
    run = init(project="p", strict=True)
    assert isinstance(finished(run).manifest.execution.code, Code)


def test_strict_raises_where_nothing_at_all_can_be_recorded(offline: Young) -> None:
    import wandb

    run = wandb.init(project="p")
    (Path(run.dir) / "repro").write_text("in the way")
    with pytest.raises(RecordingError, match="this run is not recorded: FileExistsError"):
        attach(run, strict=True)


def test_where_nothing_can_be_recorded_one_sentence_says_so_and_the_run_is_given(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    import wandb

    run = wandb.init(project="p")
    (Path(run.dir) / "repro").write_text("in the way")
    assert attach(run) is run
    assert capfd.readouterr().err.count("wandb_repro: warning: this run is not recorded") == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"RANK": "1", "WORLD_SIZE": "2"},
        {
            "TF_CONFIG": json.dumps(
                {"cluster": {"worker": ["a", "b"]}, "task": {"type": "worker", "index": 1}}
            )
        },
    ],
)
def test_another_process_than_the_first_of_a_training_records_nothing(
    offline: Young, variables: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in variables.items():
        offline.monkeypatch.setenv(name, value)
    run = started(seed=5)
    assert not recorded_in(finished(run).capsule.folder.parent).capsule.folder.exists()
    assert capfd.readouterr().err == ""


def test_the_first_process_of_a_training_records_how_many_there_are(offline: Young) -> None:
    offline.monkeypatch.setenv("RANK", "0")
    offline.monkeypatch.setenv("WORLD_SIZE", "2")
    assert finished(started()).manifest.execution.world_size == 2


def test_data_is_digested_when_it_is_shown_before_or_after_init(offline: Young) -> None:
    x, y = data()
    fingerprint("before", x, y)
    digest_of_now = x.copy()
    x += 1
    run = started()
    fingerprint("after", digest_of_now, y)
    told = finished(run).manifest.description.data
    assert isinstance(told, tuple)
    before, after = told
    assert (before.name, after.name) == ("before", "after")
    assert before.digest == after.digest
    assert isinstance(before.arrays, tuple)
    assert [(part.role, part.dtype, part.shape) for part in before.arrays] == [
        ("x", "float32", (12, 4)),
        ("y", "float32", (12, 1)),
    ]


def test_data_that_is_no_array_has_a_reason_instead_of_a_digest(offline: Young) -> None:
    run = started()
    fingerprint("list", [1, 2, 3])
    told = finished(run).manifest.description.data
    assert isinstance(told, tuple)
    assert isinstance(told[0].digest, Unavailable)
    assert "x is a list, not an array" in str(told[0].digest)


def test_the_source_tree_goes_with_the_run(offline: Young) -> None:
    recorded = finished(init(project="p"))
    code = recorded.manifest.execution.code
    assert isinstance(code, Code)
    assert code.files == 1
    assert isinstance(code.bundle, BundleFile)
    assert recorded.capsule.bundle.stat().st_size == code.bundle.size_bytes


def test_code_kept_local_never_lies_in_the_runs_folder(offline: Young) -> None:
    from wandb_repro.store.local import local_bundle

    offline.monkeypatch.setenv("XDG_DATA_HOME", str(offline.folder / "share"))
    seen: list[str] = []
    offline.monkeypatch.setattr("wandb_repro.recording.publish.Path.is_file", noted(seen))
    recorded = finished(init(project="p", code="local"))
    code = recorded.manifest.execution.code
    assert isinstance(code, Code)
    assert isinstance(code.bundle, BundleFile)
    assert (code.bundle.kept, code.bundle.name) == ("local", "code.bundle")
    assert local_bundle(code.bundle.sha256).stat().st_size == code.bundle.size_bytes
    run_files = str(recorded.capsule.folder.parent)
    assert [path for path in seen if path.startswith(run_files) and "bundle" in path] == []
    assert list(recorded.capsule.folder.rglob("*bundle*")) == []


def noted(seen: list[str]) -> Any:
    """Return ``Path.is_file`` that notes what is looked at before it is handed to W&B."""
    is_file = Path.is_file

    def looked(path: Path) -> bool:
        seen.append(str(path))
        return is_file(path)

    return looked


@pytest.mark.parametrize("name", ["WANDB_DISABLE_CODE", "WANDB_DISABLE_GIT"])
def test_wandbs_own_switches_keep_the_code_back(offline: Young, name: str) -> None:
    import wandb

    setting = name.removeprefix("WANDB_").lower()
    settings = cast("Any", wandb.Settings)(**{setting: True})
    recorded = finished(init(project="p", settings=settings))
    assert isinstance(recorded.manifest.execution.code, Unavailable)
    assert name in str(recorded.manifest.execution.code)
    assert not recorded.capsule.bundle.exists()


def trained(run: Any) -> Recorded:
    from tests.support.training import dense_model, tensorflow_data
    from wandb_repro.keras import ReproCallback

    dense_model().fit(tensorflow_data(), verbose=0, callbacks=[cast("Any", ReproCallback())])
    return finished(run)


def test_the_runs_columns_are_few_scalars_and_seeds_are_text(offline: Young) -> None:
    run = init(project="p", seed=2**32 - 1, config={"lr": 0.1})
    fingerprint("train", *data())
    recorded = trained(run)
    columns = cast("dict[str, object]", dict(run.config)["repro"])
    assert len(columns) <= 14
    assert all(isinstance(value, (str, bool, int)) for value in columns.values())
    assert columns["seed"] == "4294967295"
    assert columns["recorded_by"] == recorded.manifest.recorded_by
    assert {"tree", "threads", "framework", "packages", "gpu", "data"} <= set(columns)


def test_the_environment_is_shown_while_the_run_trains(offline: Young) -> None:
    from tests.support.training import dense_model, tensorflow_data
    from wandb_repro.keras import ReproCallback

    run: Any = init(project="p", seed=5)
    seen: list[dict[str, Any]] = []
    callbacks = [cast("Any", ReproCallback()), keras_noted(lambda: seen.append(dict(run.summary)))]
    dense_model().fit(tensorflow_data(), verbose=0, callbacks=callbacks)
    recorded = finished(run)

    assert seen == [{"repro/environment": environment_line(recorded.manifest)}]


def keras_noted(note: Callable[[], None]) -> Any:
    import keras

    def begun(epoch: int, logs: object) -> None:
        note()

    return keras.callbacks.LambdaCallback(on_epoch_begin=begun)


def test_summary_history_and_files_are_as_wandb_will_sync_them(offline: Young) -> None:
    run = init(project="p", seed=5)
    run.log({"mine": 1.0}, step=0)
    recorded = trained(run)
    log = log_of(run)
    rows = [record["history"] for record in log if record["type"] == "history"]
    assert [(row["step"]["num"], "repro" in json.dumps(row)) for row in rows] == [(0, False)]
    summary = summary_of(log)
    assert summary.pop("repro/card")["_type"] == "html-file"
    assert summary == {
        "repro/weights": f"wrepro-root-xxh3-128-1:{recorded.trail.weights[-1].root}",
        "repro/manifest": recorded.manifest.sealed().digest,
        "repro/environment": environment_line(recorded.manifest),
    }
    saved = json.dumps([record for record in log if record["type"] == "files"])
    for name in ("manifest.json", "code.bundle", "trail.jsonl"):
        assert f"repro/{name}" in saved
        assert not (recorded.capsule.folder / name).is_symlink()
