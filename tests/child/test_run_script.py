"""``python -m wandb_repro.launch``: what a script sees, and that it is recorded unchanged."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.training import SMALL_MODEL, Ended, Recorded, begun_child, run_child, waited_for
from wandb_repro.manifest.training import Seeds

LAUNCH = (sys.executable, "-m", "wandb_repro.launch")

SEEN = """
import json, sys
main = sys.modules["__main__"]
names = ("__name__", "__file__", "__package__", "__spec__", "__doc__")
seen = {name: repr(vars(main).get(name, "none")) for name in (*names, "__cached__")}
seen |= {"argv": sys.argv, "path": sys.path[0], "is_main": vars(main) is globals()}
seen |= {"loader": type(vars(main).get("__loader__")).__name__, "flags": repr(sys.flags)}
print(json.dumps(seen))
"""


def seen_by(folder: Path, command: list[str], arguments: list[str]) -> dict[str, Any]:
    """Return what a script sees that is started so, in a project with a package too."""
    project = folder / "project"
    (project / "inner").mkdir(parents=True)
    (project / "inner" / "__init__.py").touch()
    for place in ("train.py", "inner/train.py", "inner/__main__.py"):
        (project / place).write_text('"""Doc."""\n' + SEEN)
    done = subprocess.run(
        [*command, *arguments], cwd=project, capture_output=True, text=True, check=True
    )
    return json.loads(re.sub("0x[0-9a-f]+", "ADDRESS", done.stdout.replace(str(folder), "FOLDER")))


WAYS = {
    "script": ["train.py", "--lr", "0.1", "-m", "-c"],
    "script in a folder": ["inner/train.py"],
    "folder": ["inner"],
    "module": ["-m", "inner.train", "--lr", "0.1"],
    "package": ["-m", "inner"],
    "text": ["-c", SEEN, "--lr", "0.1"],
}


@pytest.mark.parametrize("arguments", WAYS.values(), ids=WAYS)
def test_a_script_sees_what_it_sees_when_python_starts_it(
    tmp_path: Path, arguments: list[str]
) -> None:
    assert_seen_alike(tmp_path, [], arguments)


@pytest.mark.parametrize("way", ["script", "folder", "text"])
def test_an_isolated_script_sees_what_it_sees_when_python_starts_it(
    tmp_path: Path, way: str
) -> None:
    assert_seen_alike(tmp_path, ["-I"], WAYS[way])


def assert_seen_alike(tmp_path: Path, flags: list[str], arguments: list[str]) -> None:
    direct = seen_by(tmp_path / "a", [sys.executable, *flags], arguments)
    launched = seen_by(tmp_path / "b", [sys.executable, *flags, *LAUNCH[1:]], arguments)
    assert launched == direct


def test_a_script_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    done = run_child(tmp_path, "", command=[*LAUNCH, "absent.py"])
    assert (done.returncode, done.ours) == (
        2,
        ["wandb_repro: absent.py cannot be read: No such file or directory"],
    )


def test_a_module_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    done = run_child(tmp_path, "", command=[*LAUNCH, "-m", "absent"])
    assert done.returncode == 1
    assert done.ours == ["wandb_repro: there is no module absent to run"]


def test_nothing_to_start_is_told_with_the_usage(tmp_path: Path) -> None:
    done = run_child(tmp_path, "", command=LAUNCH)
    assert done.returncode == 2
    assert "usage: python -m wandb_repro.launch" in done.err


def test_what_a_script_exits_with_is_what_the_launcher_exits_with(tmp_path: Path) -> None:
    done = run_child(tmp_path, "import sys; sys.exit(7)", command=[*LAUNCH, "train.py"])
    assert done.returncode == 7


@pytest.mark.slow
def test_a_training_without_wandb_is_recorded_however_fit_is_called(tmp_path: Path) -> None:
    script = f"""{SMALL_MODEL}
import sys

class Own(keras.Sequential):
    def fit(self, *positional, **options):
        print("own fit")
        return super().fit(*positional, **options)

class Counting(keras.callbacks.Callback):
    seen = 0
    def on_epoch_end(self, epoch, logs=None):
        Counting.seen += 1

one = Counting()
small_model().fit(x, y, 4, 1, 0)
small_model().fit(x, y, 4, 1, 0, [one])
small_model().fit(x, y, batch_size=4, verbose=0, callbacks=one)
model = Own([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", jit_compile=False)
model.fit(x, y, verbose=0, callbacks=(one,))
both = keras.callbacks.CallbackList([one], add_history=True, model=model)
model.fit(x, y, verbose=0, callbacks=both)
print("seen", Counting.seen, "wandb" in sys.modules)
"""
    done = run_child(tmp_path, script, command=[*LAUNCH, "train.py", "--lr", "1"])
    assert done.returncode == 0, done.err
    assert "seen 4 True" in done.out
    assert done.out.count("own fit") == 2
    (recorded,) = done.recorded
    end = recorded.trail.end
    assert end is not None
    assert (end.status, end.fits) == ("finished", 5)
    assert {seed.when for seed in seeds(recorded).generators} == {"before import", "unknown"}
    command = recorded.manifest.execution.command
    assert "launcher=True" in repr(command)
    assert "arguments=('--lr', '1')" in repr(command)


def seeds(recorded: Recorded) -> Seeds:
    found = recorded.manifest.description.seeds
    assert isinstance(found, Seeds)
    return found


@pytest.mark.slow
def test_scripts_with_lines_of_their_own_are_recorded_once_as_they_say(tmp_path: Path) -> None:
    with_wandb = f"""{SMALL_MODEL}
from wandb import init
run = init(project="mine", config={{"lr": 1}})
small_model().fit(x, y, verbose=0)
run.finish()
"""
    with_ours = f"""
import wandb_repro
run = wandb_repro.init(project="mine", seed=7, code="off")
{SMALL_MODEL}
from wandb_repro.keras import ReproCallback
small_model().fit(x, y, verbose=0, callbacks=[ReproCallback(steps=1)])
"""
    begun = [
        begun_child(tmp_path / str(number), script, command=[*LAUNCH, "train.py"])
        for number, script in enumerate((with_wandb, with_ours))
    ]
    theirs, ours = (waited_for(child) for child in begun)
    assert_recorded_once(theirs)
    assert_recorded_once(ours)
    (recorded,) = theirs.recorded
    assert recorded.manifest.execution.config == {"lr": 1}
    assert seeds(recorded).drawn
    (recorded,) = ours.recorded
    assert recorded.manifest.execution.seed == "7"
    assert 'code="off"' in str(recorded.manifest.execution.code)
    assert not any("too late" in line for line in ours.ours)


def assert_recorded_once(done: Ended) -> None:
    assert done.returncode == 0, done.err
    (recorded,) = done.recorded
    end = recorded.trail.end
    assert end is not None
    assert end.fits == 1
    assert recorded.moments()[-1][0] == "final"
