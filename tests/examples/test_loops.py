"""The loops in ``examples/loops``: recorded, rerun, and found different where one was changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project

FOLDER = Path(__file__).parents[2] / "examples" / "loops"
LOOPS = sorted(FOLDER.glob("*.py"))

NEEDS = {"jax_stateless": "jax", "torch_loop": "torch"}
"""What only the environments of ``.ci/backends`` have."""

STEP = 5
"""The first step that gets another batch, or in ``actor_critic`` another start."""

CHANGED = f"""
def changed(batches):
    for number, batch in enumerate(batches, start=1):
        first, *others = batch if isinstance(batch, (tuple, list)) else (batch,)
        first = first if number < {STEP} else first * 0.5
        yield (first, *others) if isinstance(batch, (tuple, list)) else first


"""


def of_each_step(script: str) -> str:
    """Return a loop that records each step."""
    asked, found = re.subn(
        r"^(watch = wandb_repro\.watch\(.*)\)$", r"\1, steps=1)", script, flags=re.M
    )
    assert found == 1
    return asked


def changed_in_one_step(script: str) -> str:
    """Return a loop that trains on another batch in one step."""
    if "watch.batches(" not in script:
        old, new = "for _ in range(run.config", "for number in range(run.config"
        assert old in script
        script = script.replace(old, new)
        start = 'rng.uniform(-0.5, 0.5, 2).astype("float32")'
        assert start in script
        return script.replace(start, f"{start} * (0.5 if number == {STEP - 1} else 1)")
    script = re.sub(r"watch\.batches\((\w+)\)", r"watch.batches(changed(\1))", script)
    return script.replace("\nwatch = ", f"\n{CHANGED}watch = ")


def test_each_kind_of_loop_has_an_example() -> None:
    kinds = {"gradient_tape", "tf_function", "gan", "actor_critic", "jax_stateless", "torch_loop"}
    assert {path.stem for path in LOOPS} == kinds


@pytest.mark.parametrize("loop", LOOPS, ids=lambda path: path.stem)
def test_the_changes_of_this_test_fit_each_example(loop: Path) -> None:
    script = loop.read_text()
    compile(of_each_step(script), loop.name, "exec")
    assert changed_in_one_step(script) != script
    compile(changed_in_one_step(script), loop.name, "exec")


def _marked(loop: Path) -> object:
    return pytest.param(loop, marks=pytest.mark.backend if loop.stem in NEEDS else (), id=loop.stem)


@pytest.mark.slow
@pytest.mark.parametrize("loop", [_marked(loop) for loop in LOOPS])
def test_each_loop_reruns_identically_and_a_change_is_found_at_its_step(
    loop: Path, tmp_path: Path, ask: Ask
) -> None:
    if loop.stem in NEEDS:
        pytest.importorskip(NEEDS[loop.stem])
    script = of_each_step(loop.read_text())
    project = Project.made(tmp_path / "project", script)
    assert project.record("train.py").returncode == 0
    words = ("rerun", "latest", "--env", "here", "--yes", "--json")
    answer = ask(*words, cwd=project.folder)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert answer.data["digests"] > 0

    other = Project.made(tmp_path / "other", changed_in_one_step(script))
    assert other.record("train.py").returncode == 0
    answer = ask(
        "verify", project.capsule.folder, other.capsule.folder, "--json", cwd=project.folder
    )
    assert answer.code == 1, answer.err
    assert answer.data["grade"] == "diverged"
    assert answer.data["first"]["step"] == STEP
