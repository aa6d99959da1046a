"""The plugin in somebody's own pytest, and that it is not felt where nobody uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.recorded import Project, newcomer

pytest_plugins = ["pytester"]

_HEAVY = (
    *("keras", "tensorflow", "jax", "torch", "wandb", "numpy", "pydantic", "rich", "xxhash"),
    *("git", "psutil", "click"),
)


def _started(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Start pytest in a folder, as a newcomer does."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env=newcomer(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_pytest_that_does_not_use_it_imports_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import json, sys\n"
        "def test_own():\n"
        "    print(json.dumps(sorted(sys.modules)))\n"
        "def test_option(pytestconfig):\n"
        "    assert pytestconfig.getoption('--repro-update') is False\n"
    )
    done = _started(tmp_path, "-s", "-q")
    assert done.returncode == 0, done.stdout
    modules = json.loads(done.stdout.splitlines()[0].lstrip("."))
    assert "wandb_repro.testing.plugin" in modules, "install the package again: .ci/setup test"
    ours = {name for name in modules if name.startswith("wandb_repro.")}
    assert ours <= {
        "wandb_repro.version",
        "wandb_repro.testing",
        "wandb_repro.testing.pytest_options",
        "wandb_repro.testing.plugin",
    }
    assert not set(_HEAVY) & set(modules)


@pytest.mark.slow
def test_it_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    assert _started(tmp_path, "-q", "-p", "no:wandb_repro").returncode == 0


GOLDEN = """
from wandb_repro.testing import assert_matches_golden

def test_golden():
    assert_matches_golden({run!r}, "golden/numbers.json")
"""


@pytest.mark.slow
def test_golden_files_are_written_when_asked_for_and_named(
    numbers: Project, tmp_path: Path
) -> None:
    (tmp_path / "test_own.py").write_text(GOLDEN.format(run=str(numbers.run_folder)))
    missing = _started(tmp_path, "-q", "--tb=short")
    assert missing.returncode == 1
    assert "E   AssertionError: There is no golden file golden/numbers.json." in missing.stdout
    written = _started(tmp_path, "-q", "--repro-update")
    assert written.returncode == 0
    assert "golden files written" in written.stdout
    assert "golden/numbers.json\n" in written.stdout
    matched = _started(tmp_path, "-q")
    assert matched.returncode == 0
    assert "golden files written" not in matched.stdout


UNSEEDED = """
from wandb_repro.testing import assert_reproducible

def train():
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(np.ones((8, 4)), np.ones(8), batch_size=4, verbose=0)

def test_train():
    assert_reproducible(train, steps=1)
"""


@pytest.mark.slow
def test_a_training_in_a_test_module_that_nobody_seeded_fails_with_tensor_and_cause(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in newcomer().items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(test_training=UNSEEDED)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E   AssertionError: test_training:train does not repeat itself: two fresh processes "
            "trained different weights.",
            "E   diverged  at the initial weights",
            "E     original        the first process",
            "E     rerun           the second process",
            "E     first tensor    sequential/dense/kernel [[]4, 1], trainable",
            "E     changes bits  Nothing set a seed before the model was built",
            "E                   → begin the training with keras.utils.set_random_seed(...) or",
        ]
    )
    result.stdout.no_fnmatch_line("*wandb_repro/testing/*")
    assert not (pytester.path / "wandb").exists()
