from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from wandb_repro.capture.process.generated_files import GeneratedFiles


def _generated(temporary: Path, **environ: str) -> GeneratedFiles:
    return GeneratedFiles(environ, str(temporary))


@pytest.mark.parametrize(
    "name",
    [
        "__autograph_generated_filei3k_x9z1.py",
        "__pycache__/__autograph_generated_filei3k_x9z1.cpython-311.pyc",
        "ipykernel_4711/2891374102.py",
        "xpython_12/99.py",
    ],
)
def test_what_python_tools_write_is_generated(tmp_path: Path, name: str) -> None:
    assert _generated(tmp_path).contain(f"{tmp_path}/{name}")


def test_autograph_writes_to_whatever_folder_is_temporary(tmp_path: Path) -> None:
    assert _generated(tmp_path).contain("/scratch/job7/__autograph_generated_file0.py")


@pytest.mark.parametrize(
    "name",
    [
        "train.py",
        "data/train.csv",
        "autograph_generated_file.py",
        "my__autograph_generated_file.py",
        "__autograph_generated_file.csv",
        "ipykernel_4711/train.py",
        "ipykernel/12.py",
        "tutorial/ipykernel_4711/12.py",
        "wandb-repro-tutorials/train.py",
        "wandb-repro-demo-x7f3k2p1/train.py",
    ],
)
def test_a_users_file_in_the_temporary_folder_counts(tmp_path: Path, name: str) -> None:
    assert not _generated(tmp_path).contain(f"{tmp_path}/{name}")


def test_a_cells_name_outside_the_temporary_folder_counts(tmp_path: Path) -> None:
    assert not _generated(tmp_path).contain("/project/ipykernel_1/12.py")


def test_our_own_temporary_folder_is_told_from_one_that_a_user_named_alike(
    tmp_path: Path,
) -> None:
    ours = tempfile.mkdtemp(prefix="wandb-repro-", dir=tmp_path)
    assert _generated(tmp_path).contain(f"{ours}/bundle/pack.idx")
    users = tmp_path / "wandb-repro-examples"
    users.mkdir(mode=0o755)
    users.chmod(0o755)
    assert not _generated(tmp_path).contain(f"{users}/train.py")


def test_our_folder_is_known_after_it_was_deleted(tmp_path: Path) -> None:
    assert _generated(tmp_path).contain(f"{tmp_path}/wandb-repro-uv-a1b2c3d4/uv.toml")


def test_the_files_of_a_reruns_work_folder_are_ours_and_the_restored_tree_is_not(
    tmp_path: Path,
) -> None:
    work = tmp_path / "reruns" / "a1"
    generated = _generated(Path("/elsewhere"), WANDB_REPRO_ORDER=f"{work}/request.json")
    assert generated.contain(f"{work}/request.json")
    assert generated.contain(f"{work}/cells.json")
    assert not generated.contain(f"{work}/tree/train.py")
    assert not _generated(Path("/elsewhere")).contain(f"{work}/cells.json")


def test_a_linked_temporary_folder_is_known_by_both_names(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    link = tmp_path / "tmp"
    link.symlink_to(tmp_path / "private")
    real = os.path.realpath(link)
    for folder in (str(link), real):
        assert _generated(link).contain(f"{folder}/ipykernel_1/2.py")


AUTOGRAPH = """
import sys
from pathlib import Path
import tensorflow as tf
from wandb_repro.capture.process.imported_files import imported_files

@tf.function
def count(n):
    total = 0
    for i in tf.range(n):
        total += i
    return total

assert int(count(tf.constant(4))) == 6
assert any(name.startswith("__autograph_generated") for name in sys.modules)
print(*imported_files(sys.modules, Path.cwd()))
"""


@pytest.mark.slow
def test_what_tensorflow_generates_from_a_function_is_no_source(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(AUTOGRAPH)
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    places = done.stdout.split()
    assert str(script) in places
    assert not any("__autograph" in place for place in places)
