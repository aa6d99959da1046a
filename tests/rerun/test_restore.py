"""Restoring a source tree."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.support.bundles import HOSTILE, bundle_of, delta_bomb, tree_bomb, two_faced_tree
from tests.support.repositories import Repository, on_disk, repository
from tests.support.work_trees import WORK_TREES
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.errors import CodeError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.rerun.git_tree import Budget
from wandb_repro.rerun.restore import restore


def _captured(folder: Path, bundle: Path) -> Code:
    with take_snapshot(folder) as snapshot:
        return snapshot.record(snapshot.write_bundle(bundle))


def _described(bundle: Path, tree: str) -> Code:
    """Return the record of a bundle that somebody else made, its digest right."""
    data = bundle.read_bytes()
    file = BundleFile(
        name=bundle.name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data)
    )
    return Code(
        root="/code", tree=tree, files=1, bundle=file, git=Unavailable(unavailable="not asked")
    )


def _refused(
    bundle: Path, code: Code, destination: Path, match: str, budget: Budget | None = None
) -> None:
    """Check that it is refused, and that nothing is left at or beside the destination."""
    before = set(destination.parent.iterdir())
    with pytest.raises(CodeError, match=match):
        restore(bundle, code, destination, budget=budget or Budget())
    assert set(destination.parent.iterdir()) == before


@pytest.mark.parametrize("make", WORK_TREES.values(), ids=WORK_TREES)
def test_what_was_captured_is_restored_byte_for_byte(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = make(tmp_path / "code")
    code = _captured(folder, tmp_path / "code.bundle")

    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    assert on_disk(tmp_path / "restored") == on_disk(folder)


def test_an_empty_tree_is_restored(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    code = _captured(folder, tmp_path / "code.bundle")

    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    assert list((tmp_path / "restored").iterdir()) == []


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    (tmp_path / "restored").mkdir()

    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    assert (tmp_path / "restored" / "train.py").exists()


def test_the_folders_above_are_made(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")

    restore(tmp_path / "code.bundle", code, tmp_path / "a" / "b" / "restored")

    assert (tmp_path / "a" / "b" / "restored" / "train.py").exists()


def test_nothing_else_is_left_beside_the_restored_tree(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")

    restore(tmp_path / "code.bundle", code, tmp_path / "new" / "restored")

    assert [path.name for path in (tmp_path / "new").iterdir()] == ["restored"]


def test_a_restored_tree_gives_the_same_tree_again(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    assert _captured(tmp_path / "restored", tmp_path / "again.bundle").tree == code.tree


def test_files_get_the_permissions_that_new_files_get_here(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "new").touch()

    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    restored = tmp_path / "restored"
    assert restored.stat().st_mode == plain.stat().st_mode
    assert (restored / "train.py").stat().st_mode == (plain / "new").stat().st_mode


def test_a_folder_that_holds_something_is_not_touched(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    kept = tmp_path / "restored" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("years of work")

    _refused(tmp_path / "code.bundle", code, kept.parent, "already exists")

    assert kept.read_text() == "years of work"


def test_a_link_is_not_followed_as_a_destination(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "restored").symlink_to(tmp_path / "elsewhere")

    _refused(tmp_path / "code.bundle", code, tmp_path / "restored", "already exists")


def test_another_bundle_than_the_recorded_one_is_refused(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    bundle = tmp_path / "code.bundle"
    bundle.write_bytes(bundle.read_bytes() + b"\n")

    _refused(bundle, code, tmp_path / "restored", "is not the bundle that was recorded")


def test_a_tree_that_was_not_stored_says_why(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    unstored = code.model_copy(update={"bundle": Unavailable(unavailable="code is off")})

    _refused(tmp_path / "code.bundle", unstored, tmp_path / "restored", "not stored: code is off")


def test_a_bundle_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")

    _refused(tmp_path / "none.bundle", code, tmp_path / "restored", "cannot be restored")


@pytest.mark.parametrize(
    "tree",
    ["", "HEAD", "--help", "a" * 39, "A" * 40, "a" * 40 + "\n", "-" * 40, "refs/heads/snapshot"],
)
def test_what_is_no_tree_id_never_reaches_git(
    tree: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    monkeypatch.setenv("PATH", "/nonexistent")

    damaged = code.model_copy(update={"tree": tree})

    _refused(tmp_path / "code.bundle", damaged, tmp_path / "restored", "names no tree id")


def test_a_tree_that_the_bundle_lacks_is_refused(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    other = code.model_copy(update={"tree": "0" * 39 + "1"})

    _refused(tmp_path / "code.bundle", other, tmp_path / "restored", "git ls-tree failed")


def test_a_commit_in_place_of_the_tree_is_refused(tmp_path: Path) -> None:
    bundle, _ = bundle_of(tmp_path / "made", {"train.py": "x = 1\n"})
    commit = Repository(tmp_path / "made").git("rev-parse", "refs/heads/snapshot")

    code = _described(bundle, commit)

    _refused(bundle, code, tmp_path / "restored", "not .* as recorded")


@pytest.mark.parametrize("kept", [0, 10, 100, -30, -1])
def test_a_truncated_bundle_is_refused(kept: int, tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    bundle = tmp_path / "code.bundle"
    bundle.write_bytes(bundle.read_bytes()[:kept])

    _refused(bundle, _described(bundle, code.tree), tmp_path / "restored", "git bundle failed")


def test_a_bundle_that_needs_other_commits_is_refused(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    made.write("train.py", "second = 1\n")
    made.commit()
    bundle = tmp_path / "thin.bundle"
    made.git("bundle", "create", "--quiet", str(bundle), "HEAD~1..main")
    code = _described(bundle, made.git("rev-parse", "HEAD^{tree}"))

    _refused(bundle, code, tmp_path / "restored", "git bundle failed")


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_tree_is_refused(make: Callable[[Repository], str], tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    bundle, tree = bundle_of(tmp_path / "made", make)

    _refused(
        bundle, _described(bundle, tree), tmp_path / "restored", "holds|fsck|ls-tree|cannot be"
    )

    assert list((tmp_path / "victim").iterdir()) == []


def test_a_bomb_of_trees_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    bundle, tree = bundle_of(tmp_path / "made", tree_bomb)

    assert bundle.stat().st_size < 2000
    _refused(bundle, _described(bundle, tree), tmp_path / "restored", "more than 200,000 files")


def test_a_bomb_of_bytes_is_refused(tmp_path: Path) -> None:
    bundle, tree = bundle_of(tmp_path / "made", {"zeros.bin": "0" * 3_000_000})

    small = Budget(file_bytes=1_000_000)
    _refused(bundle, _described(bundle, tree), tmp_path / "restored", "is larger than", small)


def test_a_bomb_told_as_a_delta_is_refused_before_it_is_made(tmp_path: Path) -> None:
    bundle, tree = delta_bomb(tmp_path / "made", copies=60)

    assert bundle.stat().st_size < 20_000
    _refused(bundle, _described(bundle, tree), tmp_path / "restored", "git bundle failed.*limit")


def test_a_delta_within_the_budget_is_restored(tmp_path: Path) -> None:
    bundle, tree = delta_bomb(tmp_path / "made", copies=2)

    restore(bundle, _described(bundle, tree), tmp_path / "restored")

    assert (tmp_path / "restored" / "zeros.bin").stat().st_size == 2 * 0xFFFFFF


def test_many_files_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    bundle, tree = bundle_of(tmp_path / "made", {f"{n}.bin": str(n) * 1000 for n in range(10)})

    small = Budget(total_bytes=5000)
    _refused(bundle, _described(bundle, tree), tmp_path / "restored", "is larger than", small)


def test_a_bundle_over_the_budget_is_not_opened(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")

    small = Budget(bundle_bytes=10)
    _refused(tmp_path / "code.bundle", code, tmp_path / "restored", "is larger than", small)


def test_two_files_under_one_name_are_refused(tmp_path: Path) -> None:
    bundle, tree = bundle_of(tmp_path / "made", two_faced_tree)

    _refused(bundle, _described(bundle, tree), tmp_path / "restored", "fsck")


def test_attributes_and_settings_of_the_tree_have_no_say(tmp_path: Path) -> None:
    files = {
        ".gitattributes": "* text=auto eol=crlf ident working-tree-encoding=UTF-16\n",
        ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = -u./evil\n\tupdate = !touch x\n',
        "train.py": "# $Id$\nx = 1\n",
    }
    bundle, tree = bundle_of(tmp_path / "made", files)

    restore(bundle, _described(bundle, tree), tmp_path / "restored")

    restored = on_disk(tmp_path / "restored")
    assert {name: content.decode() for name, (_, content) in restored.items()} == files


def test_settings_of_the_user_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f"[core]\n\tautocrlf = true\n\thooksPath = {home}\n[init]\n\ttemplateDir = {home}\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(home))

    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    assert on_disk(tmp_path / "restored") == on_disk(tmp_path / "code")


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")

    def nearly_full(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=3)

    monkeypatch.setattr("shutil.disk_usage", nearly_full)

    _refused(tmp_path / "code.bundle", code, tmp_path / "restored", "the disk has 3 left")


def test_names_that_differ_in_case_only_are_kept_apart(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"Model.py": "a", "model.py": "b"})
    if len(os.listdir(made.path)) < 4:  # noqa: PTH208
        pytest.skip("this disk does not tell them apart")
    code = _captured(made.path, tmp_path / "code.bundle")

    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    assert (tmp_path / "restored" / "Model.py").read_text() == "a"


COMPOSED, DECOMPOSED = "caf\u00e9.py", "cafe\u0301.py"


def test_names_that_differ_in_how_signs_are_composed_are_kept_apart(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{COMPOSED: "a", DECOMPOSED: "b"})
    if len(os.listdir(made.path)) < 4:  # noqa: PTH208
        pytest.skip("this disk does not tell them apart")
    code = _captured(made.path, tmp_path / "code.bundle")

    restore(tmp_path / "code.bundle", code, tmp_path / "restored")

    assert (tmp_path / "restored" / COMPOSED).read_text() == "a"
    assert (tmp_path / "restored" / DECOMPOSED).read_text() == "b"


def _caseless(path: bytes) -> bytes:
    return path.decode().casefold().encode()


def _composed(path: bytes) -> bytes:
    return unicodedata.normalize("NFC", path.decode()).encode()


@pytest.mark.parametrize(
    ("one", "other", "folded"),
    [("Model.py", "model.py", _caseless), (COMPOSED, DECOMPOSED, _composed)],
    ids=["case", "composition"],
)
def test_names_that_are_one_on_this_disk_are_refused(
    one: str,
    other: str,
    folded: Callable[[bytes], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a disk of macOS; here, what names a file in bytes is folded before it is opened."""
    bundle, tree = bundle_of(tmp_path / "made", {one: "a", other: "b"})
    really = os.open

    def on_such_a_disk(path: object, *rest: int, **options: int) -> int:
        name = folded(path) if isinstance(path, bytes) else cast("str", path)
        return really(name, *rest, **options)

    monkeypatch.setattr(os, "open", on_such_a_disk)

    _refused(bundle, _described(bundle, tree), tmp_path / "restored", "File exists")


def test_no_restored_file_is_a_hard_link(tmp_path: Path) -> None:
    """Not to its bundle, nor to another file of the same bytes: writing to one changes one."""
    bundle, tree = bundle_of(tmp_path / "made", {"a.py": "x = 1\n", "b.py": "x = 1\n"})

    restore(bundle, _described(bundle, tree), tmp_path / "restored")

    assert [path.stat().st_nlink for path in (tmp_path / "restored").iterdir()] == [1, 1]


def test_a_bundle_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    code = _captured(repository(tmp_path / "code").path, tmp_path / "code.bundle")
    (tmp_path / "code.bundle").unlink()
    os.mkfifo(tmp_path / "code.bundle")

    _refused(tmp_path / "code.bundle", code, tmp_path / "restored", "is no file")


@pytest.mark.parametrize(
    "line",
    [
        "--upload-pack=touch victim/x",
        "ext::sh -c 'touch victim/x'",
        "refs/heads/../../victim/x",
        "refs/heads/$(touch victim/x)",
        "file:///victim/x",
    ],
)
def test_what_a_bundle_calls_its_refs_runs_nothing(line: str, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    bundle, tree = bundle_of(tmp_path / "made", {"train.py": "x = 1\n"})
    head, _, rest = bundle.read_bytes().partition(b"refs/heads/snapshot")
    bundle.write_bytes(head + line.encode() + rest)

    restore(bundle, _described(bundle, tree), tmp_path / "restored")

    assert on_disk(tmp_path / "restored") == {"train.py": ("100644", b"x = 1\n")}
    assert list((tmp_path / "victim").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {
        *("made", "made.bundle", "restored", "victim")
    }
