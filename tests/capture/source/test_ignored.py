"""What stays out of a snapshot is named, with its size and digest, within bounds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.support.repositories import Repository, repository
from tests.support.work_trees import with_submodule
from wandb_repro.capture.source.ignored import Bounds
from wandb_repro.capture.source.include_exclude import Selection
from wandb_repro.capture.source.limits import Limits
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import EXCLUDED, IGNORED, LeftOut

DEFAULT, NO_LIMITS, ALL = Bounds(), Limits(), Selection()


def _digest(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def _ignoring(folder: Path, patterns: str) -> Repository:
    return repository(folder, **{".gitignore": patterns})


def _left_out(
    folder: Path,
    bounds: Bounds = DEFAULT,
    *,
    limits: Limits = NO_LIMITS,
    selection: Selection = ALL,
    exclude: tuple[Path, ...] = (),
) -> dict[str, LeftOut]:
    with take_snapshot(folder, limits=limits, selection=selection, exclude=exclude) as snapshot:
        return {file.path: file for file in snapshot.all_left_out(bounds)}


def test_an_ignored_file_is_named_with_its_size_and_digest(tmp_path: Path) -> None:
    made = _ignoring(tmp_path / "code", "*.bin\n")
    made.write("deep/table.bin", "1234")

    assert _left_out(made.path) == {
        "deep/table.bin": LeftOut(
            path="deep/table.bin", size_bytes=4, reason=IGNORED, digest=_digest("1234")
        )
    }


def test_the_files_of_an_ignored_folder_are_named(tmp_path: Path) -> None:
    made = _ignoring(tmp_path / "code", "data/\n")
    made.write("data/a.txt", "a")
    made.write("data/deep/b.txt", "b")

    assert list(_left_out(made.path)) == ["data/a.txt", "data/deep/b.txt"]


def test_the_files_of_a_folder_with_its_own_gitignore_are_named_once(tmp_path: Path) -> None:
    made = _ignoring(tmp_path / "code", "wandb/\n")
    made.write("cache/.gitignore", "*\n")
    made.write("cache/a.txt", "a")
    made.write("cache/deep/b.txt", "b")
    made.write("logs/.gitignore", "*.log\n")
    made.write("logs/deep/c.log", "c")

    with take_snapshot(made.path, limits=NO_LIMITS, selection=ALL, exclude=()) as snapshot:
        paths = [file.path for file in snapshot.all_left_out(DEFAULT)]

    assert sorted(paths) == [
        *("cache/.gitignore", "cache/a.txt", "cache/deep/b.txt", "logs/deep/c.log")
    ]


def test_ignored_files_of_a_submodule_are_named(tmp_path: Path) -> None:
    folder = with_submodule(tmp_path / "code")
    (folder / "sub" / ".gitignore").write_text("*.log\n")
    (folder / "sub" / "a.log").write_text("a")

    assert list(_left_out(folder)) == ["sub/a.log"]


def test_ignored_files_of_a_folder_without_repository_are_named(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("t = 1\n")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "a.log").write_text("a")

    assert list(_left_out(tmp_path)) == ["a.log"]


def test_what_tools_fill_anew_and_folders_of_wandb_are_not_named(tmp_path: Path) -> None:
    made = _ignoring(
        tmp_path / "code", "__pycache__\nwandb\nruns\n.venv\n.pytest_cache\nnode_modules\nold\n"
    )
    for name in (
        *("__pycache__/train.pyc", "wandb/latest-run/a", "runs/wandb/run-1/b", ".venv/pyvenv.cfg"),
        *(".venv/lib/x.py", ".pytest_cache/c", "node_modules/d", "old/.git/HEAD", "old/kept.txt"),
    ):
        made.write(name, "x")

    assert list(_left_out(made.path, exclude=(made.path / "runs",))) == ["old/kept.txt"]


def test_a_link_that_is_ignored_is_not_followed(tmp_path: Path) -> None:
    made = _ignoring(tmp_path / "code", "data\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_text("a")
    (made.path / "data").symlink_to(tmp_path / "elsewhere")

    assert _left_out(made.path) == {}


def test_a_file_over_the_limit_has_its_digest(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"weights.txt": "w" * 2048})

    (file,) = _left_out(made.path, limits=Limits(file_bytes=1024)).values()

    assert (file.size_bytes, file.digest) == (2048, _digest("w" * 2048))


def test_the_smallest_files_are_digested_within_the_bound_of_bytes(tmp_path: Path) -> None:
    made = _ignoring(tmp_path / "code", "*.bin\n")
    for name, size in (("a", 900), ("b", 100), ("c", 700)):
        made.write(f"{name}.bin", name * size)

    found = _left_out(made.path, Bounds(bytes=1024))

    assert found["b.bin"].digest == _digest("b" * 100)
    assert found["c.bin"].digest == _digest("c" * 700)
    assert found["a.bin"].size_bytes == 900
    assert "would take over" in str(found["a.bin"].digest)


def test_no_digest_is_made_when_the_time_is_over(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"weights.txt": "w" * 2048})

    (file,) = _left_out(made.path, Bounds(seconds=0), limits=Limits(file_bytes=1024)).values()

    assert isinstance(file.digest, Unavailable)


def test_more_ignored_files_than_are_counted_are_told(tmp_path: Path) -> None:
    made = _ignoring(tmp_path / "code", "data/\n")
    for number in range(5):
        made.write(f"data/{number}.txt", "d")

    found = list(_left_out(made.path, Bounds(files=3)).values())

    assert [file.path for file in found] == ["data/0.txt", "data/1.txt", "data/2.txt", "./"]
    assert found[-1].reason == f"{IGNORED}; there are more files than these"


def test_many_ignored_files_are_told_by_folder(tmp_path: Path) -> None:
    made = _ignoring(tmp_path / "code", "data/\n")
    for number in range(1100):
        made.write(f"data/{number:04}.txt", "12")

    *named, last = _left_out(made.path).values()

    assert len(named) == 1000
    assert (last.path, last.size_bytes) == ("data/", 200)


def test_what_looks_like_a_secret_has_no_digest(tmp_path: Path) -> None:
    """The digest of a short secret would give it away."""
    made = _ignoring(tmp_path / "code", ".env\n")
    made.write(".env", "PIN=1234")
    made.write("key.pem", "5678")

    found = _left_out(made.path)

    assert found.keys() == {".env", "key.pem"}
    assert all(isinstance(file.digest, Unavailable) for file in found.values())


def test_excluded_files_are_named(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"team/a.py": "a = 1\n"})

    (file,) = _left_out(made.path, selection=Selection(exclude=("team/",), base=made.path)).values()

    assert (file.path, file.size_bytes, file.reason) == ("team/a.py", 6, EXCLUDED)


def test_many_excluded_files_are_told_by_folder(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{f"team/{n}.py": "a = 1\n" for n in range(150)})
    made.write("top.txt", "t")

    found = _left_out(made.path, selection=Selection(include=("train.py",), base=made.path))

    assert {path: (file.size_bytes, file.reason) for path, file in found.items()} == {
        "./": (1, f"{EXCLUDED}: 1 files"),
        "team/": (900, f"{EXCLUDED}: 150 files"),
    }
