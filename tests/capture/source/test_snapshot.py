"""The snapshot of a source tree."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repositories import Repository, fingerprint, in_tree, on_disk, repository
from tests.support.work_trees import WORK_TREES, linked_work_tree, with_submodule
from wandb_repro.capture.source.limits import Limits
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.errors import CodeError
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable

DEFAULT = Limits()
SECRET = "AKIA" + "Z7Q2XW9EUT5LKMN3"


def _stored(snapshot: Snapshot) -> dict[str, tuple[str, bytes]]:
    return in_tree(snapshot.private.git_dir, snapshot.tree)


def _paths(
    start: Path, *, exclude: tuple[Path, ...] = (), limits: Limits | None = None
) -> set[str]:
    with take_snapshot(start, exclude=exclude, limits=limits or Limits()) as snapshot:
        return set(snapshot.paths())


def _left_out(start: Path, limits: Limits = DEFAULT) -> dict[str, str]:
    with take_snapshot(start, limits=limits) as snapshot:
        return {file.path: file.reason for file in snapshot.left_out}


@pytest.mark.parametrize("make", WORK_TREES.values(), ids=WORK_TREES)
def test_the_tree_is_stored_as_it_is_on_disk(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "code")

    with take_snapshot(folder) as snapshot:
        assert _stored(snapshot) == on_disk(folder)
        assert snapshot.left_out == ()


@pytest.mark.parametrize("make", WORK_TREES.values(), ids=WORK_TREES)
def test_nothing_of_the_users_is_touched(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "code")
    (tmp_path / "scratch").mkdir()
    before = fingerprint(tmp_path)

    with take_snapshot(folder, scratch=tmp_path / "scratch") as snapshot:
        snapshot.write_bundle(tmp_path / "scratch" / "code.bundle")
        assert snapshot.record(Unavailable(unavailable="kept nowhere")).tree
    (tmp_path / "scratch" / "code.bundle").unlink()

    after = fingerprint(tmp_path)
    assert {n: f for n, f in after.items() if n != "scratch"} == {
        n: f for n, f in before.items() if n != "scratch"
    }


def test_one_tree_in_two_places_gives_one_bundle(tmp_path: Path) -> None:
    fresh = repository(tmp_path / "fresh", **{f"m{n}.py": "x = 1\n" * n for n in range(150)})
    packed = repository(tmp_path / "packed", **{"m7.py": "other"})
    for path in fresh.path.glob("*.py"):
        packed.write(path.name, path.read_bytes())
    packed.commit()
    packed.git("gc", "--quiet")
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in fresh.path.glob("*.py"):
        (plain / path.name).write_bytes(path.read_bytes())

    digests: set[str] = set()
    for folder in (fresh.path, packed.path, plain, fresh.path):
        with take_snapshot(folder) as snapshot:
            digests.add(snapshot.write_bundle(tmp_path / "code.bundle").sha256)

    assert len(digests) == 1


def test_a_bundle_needs_neither_the_repository_nor_a_remote(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    bundle = tmp_path / "code.bundle"
    with take_snapshot(made.path) as snapshot:
        snapshot.write_bundle(bundle)
    alone = repository(tmp_path / "alone")
    made.path.rename(tmp_path / "away")

    alone.git("fetch", "--quiet", str(bundle), "refs/heads/snapshot:refs/heads/restored")

    assert alone.git("rev-parse", "restored^{tree}") == snapshot.tree


def test_the_record_of_a_bundle_tells_what_is_on_disk(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    destination = tmp_path / "code.bundle"

    with take_snapshot(made.path) as snapshot:
        bundle = snapshot.write_bundle(destination)

    assert (bundle.name, bundle.size_bytes) == ("code.bundle", destination.stat().st_size)
    assert bundle.sha256 == fingerprint(tmp_path)["code.bundle"][2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "code.bundle"]


@pytest.mark.usefixtures("no_folder_sync")
def test_a_folder_that_cannot_be_synced_takes_the_snapshot(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")

    with take_snapshot(made.path) as snapshot:
        bundle = snapshot.write_bundle(tmp_path / "code.bundle")

    assert bundle.sha256 == sha256_of_file(tmp_path / "code.bundle")


def test_a_bundle_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")

    with take_snapshot(made.path) as snapshot, pytest.raises(CodeError, match="cannot be written"):
        snapshot.write_bundle(tmp_path / "no" / "folder" / "code.bundle")


def test_close_leaves_nothing_behind(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    with take_snapshot(made.path, scratch=scratch):
        assert list(scratch.iterdir())

    assert not list(scratch.iterdir())


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = repository(tmp_path / "code")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CodeError, match="git is not on PATH"):
        take_snapshot(made.path, scratch=scratch)

    assert not list(scratch.iterdir())


def test_the_private_repository_is_closed_to_others(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")

    with take_snapshot(made.path, scratch=tmp_path) as snapshot:
        assert snapshot.private.git_dir.stat().st_mode & 0o777 == 0o700


def test_a_start_in_a_subfolder_takes_the_whole_repository(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"scripts/run.py": "r = 1\n"})

    with take_snapshot(made.path / "scripts") as snapshot:
        assert snapshot.root == made.path
        assert snapshot.paths() == {"train.py", "scripts/run.py"}


def test_a_start_through_a_link_finds_the_repository(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    (tmp_path / "link").symlink_to(made.path)

    with take_snapshot(tmp_path / "link") as snapshot:
        assert snapshot.root == made.path


def test_ignored_files_stay_out(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{".gitignore": "*.log\n"})
    made.write("train.log", "noise")

    assert "train.log" not in _paths(made.path)


def test_files_that_the_user_ignores_everywhere_stay_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repository(tmp_path / "code")
    made.write("notes.swp", "noise")
    home = tmp_path / "home"
    home.mkdir()
    (home / "ignored").write_text("*.swp\n")
    (home / ".gitconfig").write_text("[core]\n  excludesFile = ~/ignored\n")
    monkeypatch.setenv("HOME", str(home))

    assert _paths(made.path) == {"train.py"}


def test_what_tools_fill_anew_stays_out_unless_tracked(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"node_modules/kept.js": "k"})
    made.write("__pycache__/train.pyc", "p")
    made.write("node_modules/other.js", "o")
    made.write("venv/pyvenv.cfg", "")
    made.write("venv/lib/module.py", "")

    assert _paths(made.path) == {"train.py", "node_modules/kept.js"}


def test_a_folder_without_repository_honours_its_gitignore(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    for name in ("train.py", "noise.log"):
        (folder / name).touch()
    (folder / ".gitignore").write_text("*.log\n")

    assert _paths(folder) == {"train.py", ".gitignore"}


def test_the_folders_of_wandb_stay_out_even_when_tracked(tmp_path: Path) -> None:
    made = repository(
        tmp_path / "code", **{"sub/wandb/run-1/files/a.txt": "a", "wandb/debug.log": "b"}
    )
    made.write("sub/wandb/run-2/files/b.txt", "b")

    assert _paths(made.path) == {"train.py"}


def test_a_package_named_wandb_is_code(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"wandb/__init__.py": "w = 1\n"})

    assert "wandb/__init__.py" in _paths(made.path)


def test_folders_named_by_the_caller_stay_out(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"runs/a.txt": "a", "runs-old/b.txt": "b"})

    assert _paths(made.path, exclude=(made.path / "runs",)) == {"train.py", "runs-old/b.txt"}


@pytest.mark.parametrize("name", ["/", "/tmp", "/usr"])
def test_a_folder_of_the_system_is_refused(name: str) -> None:
    with pytest.raises(CodeError, match="holds more than code"):
        take_snapshot(Path(name))


def test_the_home_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").touch()
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(CodeError, match="holds more than code") as caught:
        take_snapshot(tmp_path)

    assert "git init" in caught.value.hint


def test_a_repository_around_the_home_folder_is_not_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repository(tmp_path)
    made.write("diary.txt", "private")
    made.write("project/run.py", "r = 1\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert _paths(tmp_path / "project") == {"run.py"}


def test_a_file_over_the_limit_is_left_out_by_name_and_size(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"weights.bin": b"w" * 2048})

    with take_snapshot(made.path, limits=Limits(file_bytes=1024)) as snapshot:
        (file,) = snapshot.left_out

    assert (file.path, file.size_bytes) == ("weights.bin", 2048)
    assert "limit for a file" in file.reason


def test_tracked_files_have_room_before_untracked_ones(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"z.bin": b"z" * 600})
    made.write("a.bin", b"a" * 600)

    limits = Limits(total_bytes=1000)
    assert _paths(made.path, limits=limits) == {"train.py", "z.bin"}
    assert list(_left_out(made.path, limits)) == ["a.bin"]


def test_untracked_files_over_the_limit_are_left_out(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    for number in range(5):
        made.write(f"data/{number}.txt", "d")

    out = _left_out(made.path, Limits(untracked_files=2))

    assert list(out) == ["data/2.txt", "data/3.txt", "data/4.txt"]
    assert out["data/2.txt"] == "more than 2 untracked files"


def test_very_many_left_out_files_are_told_by_folder(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    for number in range(1100):
        made.write(f"data/{number:04}.txt", "12")

    with take_snapshot(made.path, limits=Limits(untracked_files=0)) as snapshot:
        told = snapshot.record(Unavailable(unavailable="not stored")).left_out

    last = told[-1]
    assert len(told) == 1001
    assert (last.path, last.size_bytes, last.reason[:14]) == ("data/", 200, "100 more files")


@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.local", "server.pem", "tls.KEY", "id_rsa", "id_ed25519_work", ".netrc"),
        *(".pypirc", "credentials", "credentials.json", "service-account-1.json", "a.p12"),
        *("home/.aws/config", "conf/.ssh/known_hosts"),
    ],
)
def test_a_file_with_a_secret_name_is_left_out(name: str, tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    made.write(name, "x")

    out = _left_out(made.path)

    assert list(out) == [name]
    assert out[name].startswith("looks like a secret (it ")


@pytest.mark.parametrize(
    "name", [".env.example", "credentials.py", "environment.yml", "monkey.py", "id_rsa.pub"]
)
def test_a_file_with_a_harmless_name_is_kept(name: str, tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    made.write(name, "x")

    assert name in _paths(made.path)


def test_an_untracked_file_that_holds_a_token_is_left_out(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    made.write("settings.py", f"KEY = '{SECRET}'\n")

    assert _left_out(made.path) == {
        "settings.py": "looks like a secret (it holds a token for Amazon Web Services)"
    }


def test_a_staged_file_that_holds_a_token_is_left_out(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    made.write("settings.py", f"KEY = '{SECRET}'\n")
    made.git("add", "settings.py")

    assert list(_left_out(made.path)) == ["settings.py"]


def test_a_secret_is_nowhere_in_the_bundle(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    made.write("settings.py", f"KEY = '{SECRET}'\n")
    made.git("add", "settings.py")

    with take_snapshot(made.path) as snapshot:
        snapshot.write_bundle(tmp_path / "code.bundle")
    alone = repository(tmp_path / "alone")
    alone.git("fetch", "--quiet", str(tmp_path / "code.bundle"), "refs/heads/snapshot")

    objects = alone.git("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    contents = [alone.git("cat-file", kind, name) for name, kind, _ in map(str.split, objects)]
    assert len(objects) >= 4
    assert not any(SECRET in content for content in contents)


def test_a_committed_file_is_not_searched_for_tokens(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"fixture.py": f"KEY = '{SECRET}'\n"})

    assert "fixture.py" in _paths(made.path)


def test_a_link_out_of_the_tree_is_left_out_with_where_it_leads(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    (made.path / "data").symlink_to("/mnt/data")
    (made.path / "up").symlink_to("../elsewhere")

    assert _left_out(made.path) == {
        "data": "a link that leads out of the tree, to /mnt/data",
        "up": "a link that leads out of the tree, to ../elsewhere",
    }


def test_a_pipe_is_left_out_and_does_not_hang(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    (made.path / "train.py").unlink()
    os.mkfifo(made.path / "train.py")

    assert _left_out(made.path) == {"train.py": "neither a file nor a link"}


def test_a_damaged_repository_inside_is_taken_as_a_folder(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    inner = repository(made.path / "vendor", **{"lib.py": "l = 1\n"})
    (inner.path / ".git" / "index").write_bytes(b"no index")

    assert _paths(made.path) == {"train.py", "vendor/train.py", "vendor/lib.py"}


def test_objects_that_are_missing_are_read_from_disk(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"lost.py": "lost = 1\n"})
    blob = made.git("rev-parse", "HEAD:lost.py")
    (made.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    with take_snapshot(made.path) as snapshot:
        assert _stored(snapshot) == on_disk(made.path)


def test_a_name_that_is_no_text_is_shown_as_text(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    (made.path / os.fsdecode(b"latin-\xe9.py")).write_text("l = 1\n")

    with take_snapshot(made.path) as snapshot:
        assert snapshot.changed == ("latin-\\xe9.py",)
        assert os.fsdecode(b"latin-\xe9.py") in snapshot.paths()


@pytest.mark.parametrize("state", ["clean", "with submodule", "absent submodule", "shallow"])
def test_an_untouched_tree_is_clean(state: str, tmp_path: Path) -> None:
    with take_snapshot(WORK_TREES[state](tmp_path / "code")) as snapshot:
        assert snapshot.dirty is False
        assert snapshot.changed == ()


@pytest.mark.parametrize(
    ("state", "changed"),
    [
        ("edited", ("train.py",)),
        ("staged only", ("train.py",)),
        ("deleted", ("old.py",)),
        ("renamed", ("new.py", "old.py")),
        ("executable", ("train.py",)),
        ("untracked", ("helper.py", "package/deep/__init__.py")),
        ("unborn", ("staged.py", "train.py")),
        ("edited submodule", ("sub/inner.py", "sub/new.py")),
        ("hidden edits", ("a.py", "b.py")),
    ],
)
def test_what_differs_from_head_is_named(
    state: str, changed: tuple[str, ...], tmp_path: Path
) -> None:
    with take_snapshot(WORK_TREES[state](tmp_path / "code")) as snapshot:
        assert snapshot.dirty is True
        assert snapshot.changed == changed


def _checked_out_with_crlf(folder: Path) -> Repository:
    """Return a clean repository in which git wrote other line ends than are committed."""
    made = repository(folder, **{".gitattributes": "* text=auto eol=crlf\n", "a.py": "a = 1\n"})
    (made.path / "a.py").unlink()
    made.git("checkout", "--", "a.py")
    # As after any pause: the index is younger than what it tells of.
    os.utime(made.path / ".git" / "index", (4_000_000_000, 4_000_000_000))
    assert (made.path / "a.py").read_bytes() == b"a = 1\r\n"
    return made


def test_line_ends_that_git_wrote_are_no_change(tmp_path: Path) -> None:
    made = _checked_out_with_crlf(tmp_path / "code")

    with take_snapshot(made.path) as snapshot:
        assert _stored(snapshot)["a.py"] == ("100644", b"a = 1\r\n")
        assert snapshot.changed == ()


def test_an_edit_of_a_file_with_other_line_ends_is_a_change(tmp_path: Path) -> None:
    made = _checked_out_with_crlf(tmp_path / "code")
    made.write("a.py", "a = 2\r\n")

    with take_snapshot(made.path) as snapshot:
        assert snapshot.changed == ("a.py",)


def test_a_committed_file_that_was_left_out_leaves_open_whether_it_changed(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"weights.bin": b"w" * 2048})

    with take_snapshot(made.path, limits=Limits(file_bytes=1024)) as snapshot:
        assert isinstance(snapshot.dirty, Unavailable)


def test_a_folder_without_repository_says_so(tmp_path: Path) -> None:
    folder = WORK_TREES["no repository"](tmp_path / "code")

    with take_snapshot(folder) as snapshot:
        assert snapshot.git == Unavailable(unavailable="the code is not in a git repository")
        assert snapshot.dirty == snapshot.git


def test_a_repository_that_git_cannot_list_says_why(tmp_path: Path) -> None:
    folder = WORK_TREES["corrupt index"](tmp_path / "code")

    with take_snapshot(folder) as snapshot:
        assert "git cannot list the repository: git ls-files failed" in str(snapshot.git)


def test_the_record_holds_what_a_rerun_needs(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")

    with take_snapshot(made.path) as snapshot:
        code = snapshot.record(snapshot.write_bundle(tmp_path / "code.bundle"))

    assert (code.root, code.tree, code.files) == (str(made.path), snapshot.tree, 1)
    assert code.tree == made.git("rev-parse", "HEAD^{tree}")


def test_two_linked_work_trees_are_told_apart(tmp_path: Path) -> None:
    linked = linked_work_tree(tmp_path / "linked")

    with take_snapshot(linked) as one, take_snapshot(tmp_path / "main") as other:
        assert (one.root, other.root) == (linked, tmp_path / "main")
        assert one.tree != other.tree


def test_a_submodule_is_flattened(tmp_path: Path) -> None:
    folder = with_submodule(tmp_path / "code")

    assert _paths(folder) == {"train.py", ".gitmodules", "sub/train.py", "sub/inner.py"}


_EXECUTED = {
    "filter": ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process"),
    "file system monitor": ("core.fsmonitor",),
    "text conversion": ("diff.evil.textconv",),
    "diff program": ("diff.external", "diff.evil.command"),
    "editor, pager, remote": ("core.editor", "core.pager", "core.sshCommand", "core.gitProxy"),
    "credentials": ("credential.helper", "core.askPass"),
}


@pytest.mark.parametrize("settings", _EXECUTED.values(), ids=_EXECUTED)
def test_no_program_that_the_repository_names_is_run(
    settings: tuple[str, ...], tmp_path: Path
) -> None:
    made = _hostile(tmp_path, settings)

    with take_snapshot(made.path) as snapshot:
        snapshot.write_bundle(tmp_path / "code.bundle")
        snapshot.record(Unavailable(unavailable="not stored"))

    assert not (tmp_path / "sentinel").exists()


def test_no_hook_of_the_repository_is_run(tmp_path: Path) -> None:
    made = _hostile(tmp_path, ())
    for name in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        hook = made.write(f".git/hooks/{name}", "")
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/sentinel\n")
        hook.chmod(0o755)

    with take_snapshot(made.path) as snapshot:
        snapshot.write_bundle(tmp_path / "code.bundle")
        snapshot.record(Unavailable(unavailable="not stored"))

    assert not (tmp_path / "sentinel").exists()


def _hostile(folder: Path, settings: tuple[str, ...]) -> Repository:
    """Return a repository with an edit, whose every listed setting starts a program."""
    made = repository(folder / "code", **{".gitattributes": "*.py filter=evil diff=evil\n"})
    program = folder / "program"
    program.write_text(f"#!/bin/sh\ntouch {folder}/sentinel\ncat\n")
    program.chmod(0o755)
    made.write("train.py", "edited = 1\n")
    for setting in settings:
        made.git("config", setting, str(program))
    return made


def test_those_programs_are_run_by_git_itself(tmp_path: Path) -> None:
    """The tests above can fail: plain git starts what they plant."""
    made = _hostile(tmp_path, ("filter.evil.clean",))

    made.git("diff", "--stat")

    assert (tmp_path / "sentinel").exists()
