"""A disk that is really full: a small one in memory, mounted where nobody else sees it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.recorded import Project, newcomer

_LEFT = "left on it:"
_ALONE = ("unshare", "--user", "--map-root-user", "--mount")


def _on_a_small_disk(
    folder: Path, megabytes: int, *words: object, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Start ``wandb-repro`` where a folder is a disk of so many megabytes; then list what is on it.

    The disk goes with the process: what is left on it stands in the last lines of its errors.
    """
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={megabytes}m none {shlex.quote(str(folder))}"
    program = shlex.join([sys.executable, "-m", "wandb_repro", *map(str, words)])
    left = f"echo {_LEFT} >&2\nls -A {shlex.quote(str(folder))} >&2"
    script = f"{mount} || exit 99\n{program}\ncode=$?\n{left}\nexit $code"
    done = subprocess.run(
        [*_ALONE, "sh", "-c", script],
        env=newcomer(**environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if _LEFT not in done.stderr:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()[-100:]}")
    return done


@pytest.mark.slow
@pytest.mark.parametrize(("megabytes", "options"), [(1, ()), (20, ()), (20, ("--no-cache",))])
def test_preparing_on_a_full_disk_is_one_sentence_and_leaves_nothing(
    megabytes: int, options: tuple[str, ...], lean: Project, tmp_path: Path
) -> None:
    """A disk of 1 MB is full with the first packages, one of 20 MB with the large ones."""
    place = tmp_path / "disk" / "prepared"
    words = ("rerun", lean.run_folder, "--prepare", place, *options)
    done = _on_a_small_disk(place.parent, megabytes, *words)
    assert done.returncode == 4, done.stderr
    told, _, left = done.stderr.rpartition(f"{_LEFT}\n")
    assert told.endswith(
        f"error  {place}/env: No space left on device.\n"
        "       → Free some space, or choose another folder.\n"
    )
    assert "Traceback" not in told
    assert told.count("Installing") == 1
    assert left == ""


@pytest.mark.slow
def test_where_the_users_cache_is_full_nothing_is_kept_and_the_rest_goes_on(
    lean: Project, tmp_path: Path
) -> None:
    """As in a home folder with a small quota."""
    disk, place = tmp_path / "disk", tmp_path / "prepared"
    words = ("rerun", lean.run_folder, "--prepare", place)
    done = _on_a_small_disk(disk, 1, *words, WANDB_REPRO_CACHE=str(disk / "cache"))
    assert done.returncode == 0, done.stderr
    assert f"The environment is not kept: {disk}/cache/environments/" in done.stderr
    assert (place / "env" / "bin" / "python").exists()
