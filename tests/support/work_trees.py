"""States that a work tree can be in when a training starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.support.repositories import Repository, repository

__all__ = ["WORK_TREES", "linked_work_tree", "with_submodule"]


def _clean(folder: Path) -> Path:
    return repository(folder, **{"src/model.py": "layers = 2\n"}).path


def _edited(folder: Path) -> Path:
    made = repository(folder)
    made.write("train.py", "print('other')")
    return made.path


def _staged_only(folder: Path) -> Path:
    made = repository(folder)
    made.write("train.py", "print('staged')\n")
    made.git("add", "train.py")
    return made.path


def _staged_then_edited(folder: Path) -> Path:
    made = repository(folder)
    made.write("train.py", "print('staged')\n")
    made.git("add", "train.py")
    made.write("train.py", "print('edited since')\n")
    return made.path


def _deleted(folder: Path) -> Path:
    made = repository(folder, **{"old.py": "x = 1\n"})
    (folder / "old.py").unlink()
    return made.path


def _removed_from_the_index_only(folder: Path) -> Path:
    made = repository(folder, **{"old.py": "x = 1\n"})
    made.git("rm", "--cached", "--quiet", "old.py")
    return made.path


def _renamed(folder: Path) -> Path:
    made = repository(folder, **{"old.py": "x = 1\n"})
    made.git("mv", "old.py", "new.py")
    return made.path


def _executable(folder: Path) -> Path:
    made = repository(folder)
    (folder / "train.py").chmod(0o755)
    return made.path


def _links(folder: Path) -> Path:
    made = repository(folder)
    (folder / "latest.py").symlink_to("train.py")
    made.commit()
    (folder / "nowhere").symlink_to("not/there")
    return made.path


def _link_in_place_of_a_folder(folder: Path) -> Path:
    made = repository(folder, **{"data/a.txt": "a", "other/a.txt": "other"})
    (folder / "data" / "a.txt").unlink()
    (folder / "data").rmdir()
    (folder / "data").symlink_to("other")
    return made.path


def _folder_in_place_of_a_file(folder: Path) -> Path:
    made = repository(folder, config="a = 1\n")
    (folder / "config").unlink()
    made.write("config/base", "a = 2\n")
    return made.path


def _binary(folder: Path) -> Path:
    made = repository(folder, **{"table.bin": bytes(range(256))})
    made.write("table.bin", bytes(reversed(range(256))))
    return made.path


def _untracked(folder: Path) -> Path:
    made = repository(folder)
    made.write("helper.py", "y = 2")
    made.write("package/deep/__init__.py", "")
    return made.path


def _unborn(folder: Path) -> Path:
    folder.mkdir()
    made = Repository(folder)
    made.git("init", "--quiet")
    made.write("staged.py", "s = 1\n")
    made.git("add", "staged.py")
    made.write("train.py", "t = 1\n")
    return folder


def _detached(folder: Path) -> Path:
    made = repository(folder)
    made.git("checkout", "--quiet", "--detach")
    return made.path


def _in_conflict(folder: Path) -> Path:
    made = repository(folder)
    made.git("checkout", "--quiet", "-b", "other")
    made.write("train.py", "other = 1\n")
    made.commit()
    made.git("checkout", "--quiet", "main")
    made.write("train.py", "main = 1\n")
    made.commit()
    # A merge with conflicts ends with 1, as a failure does; an alias makes it end with 0.
    made.git("-c", "alias.try=!git merge --quiet other || true", "try")
    return made.path


def _no_repository(folder: Path) -> Path:
    (folder / "lib").mkdir(parents=True)
    (folder / "train.py").write_text("t = 1\n")
    (folder / "lib" / "util.py").write_text("u = 1\n")
    return folder


def _corrupt_index(folder: Path) -> Path:
    made = repository(folder)
    (folder / ".git" / "index").write_bytes(b"DIRC not an index")
    return made.path


def _locked_index(folder: Path) -> Path:
    made = repository(folder)
    made.write("train.py", "edited = 1\n")
    (folder / ".git" / "index.lock").touch()
    return made.path


def linked_work_tree(folder: Path) -> Path:
    """Return a second work tree of a repository, with an edit of its own."""
    made = repository(folder.with_name("main"))
    made.git("worktree", "add", "--quiet", str(folder))
    (folder / "train.py").write_text("linked = 1\n")
    return folder


def _shallow(folder: Path) -> Path:
    made = repository(folder.with_name("origin"))
    made.write("train.py", "second = 1\n")
    made.commit()
    made.git("clone", "--quiet", "--depth=1", f"file://{made.path}", str(folder))
    return folder


def _partial_clone(folder: Path) -> Path:
    made = repository(folder.with_name("origin"), **{"old.py": "o = 1\n"})
    made.git("config", "uploadpack.allowFilter", "true")
    address = f"file://{made.path}"
    made.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", address, str(folder))
    clone = Repository(folder)
    clone.git("read-tree", "HEAD")
    clone.write("old.py", "o = 1\n")
    clone.write("train.py", "print('training')\n")
    made.path.rename(made.path.with_name("gone"))
    return folder


def with_submodule(folder: Path) -> Path:
    """Return a repository with a submodule in ``sub``, all of it committed."""
    inner = repository(folder.with_name("inner"), **{"inner.py": "i = 1\n"})
    made = repository(folder)
    made.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "sub"
    )
    made.commit()
    return folder


def _edited_submodule(folder: Path) -> Path:
    with_submodule(folder)
    (folder / "sub" / "inner.py").write_text("i = 2\n")
    (folder / "sub" / "new.py").write_text("n = 1\n")
    return folder


def _absent_submodule(folder: Path) -> Path:
    with_submodule(folder)
    Repository(folder).git("submodule", "deinit", "--quiet", "--force", "sub")
    return folder


def _nested_repository(folder: Path) -> Path:
    made = repository(folder)
    repository(folder / "vendor" / "lib", **{"lib.py": "l = 1\n"})
    return made.path


def _crlf(folder: Path) -> Path:
    made = repository(folder, **{".gitattributes": "* text=auto\n", "unix.txt": "a\nb\n"})
    made.git("config", "core.autocrlf", "true")
    made.write("train.py", "a = 1\r\nb = 2\r\n")
    made.write("mixed.txt", "a\r\nb\n")
    made.git("add", "--all")
    return made.path


def _hidden_edits(folder: Path) -> Path:
    made = repository(folder, **{"a.py": "a = 1\n", "b.py": "b = 1\n"})
    made.git("update-index", "--assume-unchanged", "a.py")
    made.git("update-index", "--skip-worktree", "b.py")
    made.write("a.py", "a = 2\n")
    made.write("b.py", "b = 2\n")
    return made.path


def _sparse(folder: Path) -> Path:
    made = repository(folder, **{"in/a.py": "a = 1\n", "out/b.py": "b = 1\n"})
    made.git("sparse-checkout", "set", "in")
    return made.path


def _intent_to_add(folder: Path) -> Path:
    made = repository(folder)
    made.write("empty.py", "")
    made.git("add", "--intent-to-add", "empty.py")
    return made.path


def _odd_names(folder: Path) -> Path:
    made = repository(folder)
    for name in ("a b.py", "new\nline.py", "Grüße.py", "-rf", 'quo"te', "back\\slash", "tab\t"):
        made.write(name, name)
    made.commit()
    (folder / os.fsdecode(b"latin-\xe9.py")).write_text("l = 1\n")
    made.write("-n/--help", "x")
    return made.path


def _sha256_repository(folder: Path) -> Path:
    folder.mkdir()
    made = Repository(folder)
    made.git("init", "--quiet", "--object-format=sha256")
    made.write("train.py", "t = 1\n")
    made.commit()
    return folder


WORK_TREES: dict[str, Callable[[Path], Path]] = {
    function.__name__.strip("_").replace("_", " "): function
    for function in (
        *(_clean, _edited, _staged_only, _staged_then_edited, _deleted, _renamed, _executable),
        *(_removed_from_the_index_only, _links, _link_in_place_of_a_folder, _binary, _untracked),
        *(_folder_in_place_of_a_file, _unborn, _detached, _in_conflict, _no_repository),
        *(_corrupt_index, _locked_index, linked_work_tree, _shallow, _partial_clone),
        *(with_submodule, _edited_submodule, _absent_submodule, _nested_repository, _crlf),
        *(_hidden_edits, _sparse, _intent_to_add, _odd_names, _sha256_repository),
    )
}
"""What makes each state in a folder that does not exist yet; it returns the work tree."""
