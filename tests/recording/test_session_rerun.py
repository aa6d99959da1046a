"""What ``init`` and the callback do in a process that was told to repeat a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.training import (
    Recorded,
    Young,
    dense_model,
    log_of,
    recorded_in,
    summary_of,
    tensorflow_data,
)
from wandb_repro.manifest.request import REQUEST_VARIABLE, Options, RerunRequest, Whereabouts
from wandb_repro.recording.attach import options_of
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seed_process import seed_early


def train(run: Any, **callback: Any) -> Recorded:
    from wandb_repro.keras import ReproCallback

    ours = cast("Any", ReproCallback(**callback))
    dense_model().fit(tensorflow_data(), epochs=2, verbose=0, callbacks=[ours])
    run.finish()
    return recorded_in(run.dir)


def begin(**options: Any) -> Any:
    from wandb_repro import init

    usual: dict[str, Any] = {"project": "p", "code": "off"}
    return init(**{**usual, **options})


def request_to_repeat(offline: Young, original: Recorded, **limits: Any) -> Path:
    """Have this process repeat a run from here on; return where it says where its own record is."""
    whereabouts = offline.folder / "whereabouts.json"
    usual: dict[str, Any] = {
        "keep_going": False,
        "until_epoch": None,
        "until_step": None,
        "allow_outputs": False,
    }
    request = RerunRequest(
        capsule=str(original.capsule.folder),
        original="p/original",
        code_root=str(offline.project),
        whereabouts=str(whereabouts),
        **{**usual, **limits},
    )
    path = offline.folder / "order.json"
    path.write_text(request.model_dump_json())
    offline.monkeypatch.setenv(REQUEST_VARIABLE, str(path))
    offline.begin()
    offline.forget_keras()
    return whereabouts


def test_a_rerun_gets_the_recorded_seed_and_config_and_is_a_run_of_its_own(
    offline: Young,
) -> None:
    run = begin(config={"lr": 0.5, "layers": [1, 2]})
    original = train(run)
    whereabouts = request_to_repeat(offline, original)
    again = begin(config={"lr": 0.1}, id=run.id)
    assert again.id != run.id
    assert again.job_type == "rerun"
    assert dict(again.config)["lr"] == 0.5
    repeated = train(again)
    assert repeated.roots() == original.roots()
    assert repeated.manifest.execution.seed == original.manifest.execution.seed
    assert repeated.manifest.run.rerun_of == "p/original"
    told = Whereabouts.model_validate_json(whereabouts.read_bytes())
    assert told.capsule == str(repeated.capsule.folder)
    assert summary_of(log_of(again))["repro/verdict"] == "identical"


def test_a_rerun_digests_the_steps_that_the_original_digested(offline: Young) -> None:
    original = train(begin(seed=4), steps=2)
    request_to_repeat(offline, original)
    assert train(begin()).moments() == original.moments()


def test_a_rerun_stops_at_the_first_difference(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    original = train(begin(seed=4))
    request_to_repeat(offline, original)
    run = begin()
    import keras

    cast("Any", keras).utils.set_random_seed(5)
    with pytest.raises(RerunStopped):
        train(run)
    assert "differs from the original at the initial weights" in capfd.readouterr().err
    run.finish()
    ending = recorded_in(run.dir).manifest.ending
    assert "status='interrupted'" in repr(ending)


def test_a_rerun_goes_on_past_a_difference_where_it_is_told_to(offline: Young) -> None:
    original = train(begin(seed=4))
    request_to_repeat(offline, original, keep_going=True)
    run = begin()
    import keras

    cast("Any", keras).utils.set_random_seed(5)
    assert train(run).moments() == original.moments()


@pytest.mark.parametrize("limit", [{"until_epoch": 1}, {"until_step": 3}])
def test_a_rerun_of_a_prefix_stops_behind_it(offline: Young, limit: dict[str, int]) -> None:
    original = train(begin(seed=4))
    request_to_repeat(offline, original, **limit)
    run = begin()
    with pytest.raises(RerunStopped):
        train(run)
    assert recorded_in(run.dir).moments()[-1] == ("epoch", 1, 3)


def test_a_rerun_ends_where_the_script_would_begin_another_run(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    original = train(begin(seed=4))
    request_to_repeat(offline, original)
    train(begin())
    with pytest.raises(RerunStopped):
        begin(seed=9)
    assert "the repeated run has ended" in capfd.readouterr().err


def test_a_rerun_publishes_no_artifact_model_or_alert(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    import wandb

    from wandb_repro.child.wandb_patch import prepare

    original = train(begin(seed=4))
    request_to_repeat(offline, original)
    for name in ("init", "agent", "sweep"):  # what is patched is put back after the test
        offline.monkeypatch.setattr(wandb, name, getattr(wandb, name))
    prepare(wandb)
    run = begin()
    artifact = wandb.Artifact("model", "model")
    assert run.log_artifact(artifact).wait().name == artifact.name
    cast("Any", wandb).alert("title", "text")
    run.finish()
    said = capfd.readouterr().err
    assert "run.log_artifact is held back in a rerun" in said
    assert "run.alert is held back in a rerun" in said


def test_a_rerun_of_a_script_with_its_own_seeds_leaves_them_to_it(offline: Young) -> None:
    import keras

    set_seed = cast("Any", keras).utils.set_random_seed
    set_seed(6)
    original = train(begin())
    request_to_repeat(offline, original)
    set_seed(6)
    repeated = train(begin())
    assert repeated.roots() == original.roots()


def test_options_of_the_launcher_do_not_change_a_reruns_seed(offline: Young) -> None:
    original = train(begin(seed=4))
    request_to_repeat(offline, original)
    seed_early(options_of())
    assert process.seeding is not None
    assert process.seeding.seed == 4
    assert Options().seed is None
    assert train(begin(seed=4)).roots() == original.roots()
