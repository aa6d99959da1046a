"""Files that a training saves are compared by content, whatever the archive's time is."""

from __future__ import annotations

import json

import pytest

from tests.support.recorded import KERAS, Ask, Project
from wandb_repro.manifest.outputs import Outputs

SCRIPT = (
    "import sys\nimport time\n\nimport wandb\n"
    + KERAS
    + """
weights = model.get_weights()
if "other" in sys.argv:
    model.set_weights([weights[0] + time.time_ns() % 1000, *weights[1:]])
model.save("m.keras")
model.set_weights(weights)
model.save(run.dir + "/kept.keras")
made = wandb.Artifact("model-" + run.id, type="model")
with made.new_file("w.npz", mode="wb") as file:
    np.savez(file, *weights)
run.log_artifact(made)
run.log_model(run.dir + "/kept.keras", name="best")
"""
)

HERE = ("--env", "here", "--yes", "--json")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.made(tmp_path_factory.mktemp("saved") / "project", SCRIPT)


@pytest.mark.slow
def test_a_training_that_saves_the_same_again_is_identical(project: Project, ask: Ask) -> None:
    assert project.record("train.py").returncode == 0
    outputs = project.manifest.description.outputs
    assert isinstance(outputs, Outputs)
    assert [(file.place, file.path, file.kind) for file in outputs.files] == [
        ("artifact", "kept.keras", "keras"),
        ("artifact", "w.npz", "npz"),
        ("disk", "m.keras", "keras"),
        ("run", "kept.keras", "keras"),
    ]
    answer = ask("rerun", project.capsule.folder, *HERE, cwd=project.folder)
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["covers"]["files"] == 4


@pytest.mark.slow
def test_a_training_that_saves_something_else_has_diverged(project: Project, ask: Ask) -> None:
    assert project.record("train.py", "other").returncode == 0
    answer = ask("rerun", project.capsule.folder, *HERE, cwd=project.folder)
    assert answer.code == 1, answer.err
    verdict = json.loads(answer.out)
    assert verdict["first"] is None
    (difference,) = verdict["outputs"]
    assert (difference["what"], difference["key"]) == ("file", "m.keras")
    assert difference["where"] == "model.weights.h5:layers/dense/vars/0"
    assert difference["places"] == 1
