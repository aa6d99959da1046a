"""States of a project's code that change what its training does.

In each of them the training of ``NUMBERS`` trains four numbers, as ``network.SIZE`` says. What git
has committed, or what a careless copy would bring along, gives another number or an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.support.recorded import NUMBERS
from tests.support.repositories import Repository, repository

__all__ = ["CODE_STATES", "Made"]

FOUR, THREE, TWO = "SIZE = 4\n", "SIZE = 3\n", "SIZE = 2\n"

_BESIDE = "from pathlib import Path\n\nbeside = Path(__file__).parent\n"
_UNLESS_OVERRIDDEN = """\
try:
    from override.size import SIZE
except ImportError:
    SIZE = 4
"""


class Made(NamedTuple):
    """A project in some state, and how its training is started there."""

    folder: Path
    script: str = "train.py"
    cwd: str = "."


def _project(folder: Path, network: str = FOUR, **files: str | bytes) -> Repository:
    """Return a repository with one commit of a training, its network and more files."""
    own = {"train.py": NUMBERS, "network.py": network, ".gitignore": "wandb/\n"}
    return repository(folder, **{**own, **files})


def _clean(place: Path) -> Made:
    return Made(_project(place / "code").path)


def _dirty(place: Path) -> Made:
    made = _project(place / "code", THREE)
    made.write("network.py", FOUR)
    return Made(made.path)


def _staged_only(place: Path) -> Made:
    made = _project(place / "code", THREE)
    made.write("network.py", FOUR)
    made.git("add", "network.py")
    return Made(made.path)


def _staged_then_edited_again(place: Path) -> Made:
    made = _project(place / "code", TWO)
    made.write("network.py", THREE)
    made.git("add", "network.py")
    made.write("network.py", FOUR)
    return Made(made.path)


def _deleted_file(place: Path) -> Made:
    made = _project(place / "code", _UNLESS_OVERRIDDEN, **{"override/size.py": THREE})
    (made.path / "override" / "size.py").unlink()
    return Made(made.path)


def _renamed(place: Path) -> Made:
    made = _project(place / "code", THREE, **{"wider.py": FOUR})
    made.git("mv", "--force", "wider.py", "network.py")
    return Made(made.path)


def _mode_bit(place: Path) -> Made:
    run = "import subprocess\n\nSIZE = int(subprocess.check_output([beside / 'size.sh']))\n"
    made = _project(place / "code", _BESIDE + run, **{"size.sh": "#!/bin/sh\necho 4\n"})
    (made.path / "size.sh").chmod(0o755)
    return Made(made.path)


def _symlink_inside_the_tree(place: Path) -> Made:
    made = _project(place / "code", THREE, **{"sizes/large.py": FOUR})
    (made.path / "network.py").unlink()
    (made.path / "network.py").symlink_to("sizes/large.py")
    return Made(made.path)


def _binary_edit(place: Path) -> Made:
    read = "SIZE = (beside / 'size.bin').read_bytes()[7]\n"
    made = _project(place / "code", _BESIDE + read, **{"size.bin": bytes(200)})
    made.write("size.bin", b"\0\xff\r\n\0\0\0\x04\0\n")
    return Made(made.path)


def _untracked_file(place: Path) -> Made:
    made = _project(place / "code", "from size import SIZE\n")
    made.write("size.py", FOUR)
    return Made(made.path)


def _untracked_folder(place: Path) -> Made:
    made = _project(place / "code", "from layers.deep.size import SIZE\n")
    made.write("layers/__init__.py", "")
    made.write("layers/deep/size.py", FOUR)
    return Made(made.path)


def _cloned(place: Path, *options: str) -> Repository:
    """Return a clone of a remote whose second commit is of another network than the first."""
    origin = _project(place / "origin", TWO)
    origin.write("network.py", THREE)
    origin.commit()
    origin.git("clone", "--quiet", *options, f"file://{origin.path}", str(place / "code"))
    return Repository(place / "code")


def _unpushed_commits(place: Path) -> Made:
    made = _cloned(place)
    for network in (THREE + "# tried\n", FOUR):
        made.write("network.py", network)
        made.commit()
    return Made(made.path)


def _detached_head(place: Path) -> Made:
    made = _project(place / "code", FOUR)
    made.write("network.py", THREE)
    made.commit()
    made.git("checkout", "--quiet", "--detach", "HEAD~1")
    return Made(made.path)


def _no_remote(place: Path) -> Made:
    made = _cloned(place)
    made.git("remote", "remove", "origin")
    made.write("network.py", FOUR)
    made.commit()
    return Made(made.path)


def _no_commit_yet(place: Path) -> Made:
    made = Repository(place / "code")
    made.path.mkdir()
    made.git("init", "--quiet")
    made.write("network.py", FOUR)
    made.git("add", "network.py")
    made.write("train.py", NUMBERS)
    return Made(made.path)


def _no_git_at_all(place: Path) -> Made:
    folder = place / "code"
    folder.mkdir()
    (folder / "train.py").write_text(NUMBERS)
    (folder / "network.py").write_text(FOUR)
    return Made(folder)


def _subfolder_as_working_directory(place: Path) -> Made:
    read = "from pathlib import Path\n\nSIZE = int(Path('../shared/size.txt').read_text())\n"
    made = repository(place / "code", **{"work/network.py": read, "shared/size.txt": "4"})
    made.write("work/train.py", NUMBERS)
    return Made(made.path, cwd="work")


def _with_submodule(place: Path, *networks: str) -> Repository:
    """Return a project with its network in a submodule; it pins the first of these commits."""
    inner = repository(place / "inner", **{"__init__.py": networks[0]})
    made = repository(place / "code", **{"train.py": NUMBERS, ".gitignore": "wandb/\n"})
    allowed = ("-c", "protocol.file.allow=always")
    made.git(*allowed, "submodule", "--quiet", "add", str(inner.path), "network")
    made.commit()
    submodule = Repository(made.path / "network")
    for network in networks[1:]:
        submodule.write("__init__.py", network)
        submodule.commit()
    return made


def _submodule_clean(place: Path) -> Made:
    return Made(_with_submodule(place, FOUR).path)


def _submodule_edited(place: Path) -> Made:
    made = _with_submodule(place, THREE)
    made.write("network/__init__.py", "from network.size import SIZE\n")
    made.write("network/size.py", FOUR)
    return Made(made.path)


def _submodule_at_another_commit(place: Path) -> Made:
    made = _with_submodule(place, TWO, THREE, FOUR, THREE)
    Repository(made.path / "network").git("checkout", "--quiet", "HEAD~1")
    return Made(made.path)


def _nested_repository(place: Path) -> Made:
    made = repository(place / "code", **{"train.py": NUMBERS, ".gitignore": "wandb/\n"})
    inner = repository(made.path / "network", **{"__init__.py": THREE, ".gitignore": "*.log\n"})
    inner.write("__init__.py", "from network.size import SIZE\n")
    inner.write("size.py", FOUR)
    inner.write("noise.log", "ignored")
    return Made(made.path)


def _nested_repository_that_is_tracked(place: Path) -> Made:
    """As ``git add`` leaves it behind, with a warning: a link without a ``.gitmodules``."""
    made = repository(place / "code", **{"train.py": NUMBERS, ".gitignore": "wandb/\n"})
    inner = repository(made.path / "network", **{"__init__.py": THREE})
    made.commit()
    inner.write("__init__.py", FOUR)
    return Made(made.path)


def _with_lfs(place: Path, network: str) -> Repository:
    """Return a project that keeps four bytes in LFS, of which git itself has the pointer."""
    oid = hashlib.sha256(b"\0\1\2\3").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 4\n"
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
    made = _project(place / "code", network, **{".gitattributes": attributes, "table.bin": pointer})
    for name in ("clean", "smudge"):
        made.git("config", f"filter.lfs.{name}", f"git-lfs {name} -- %f")
    made.git("config", "filter.lfs.process", "git-lfs filter-process")
    made.git("config", "filter.lfs.required", "true")
    return made


def _lfs_pointers(place: Path) -> Made:
    read = "SIZE = int((beside / 'table.bin').read_text().split()[-1])\n"
    return Made(_with_lfs(place, _BESIDE + read).path)


def _lfs_files_in_place_of_their_pointers(place: Path) -> Made:
    read = "SIZE = len((beside / 'table.bin').read_bytes())\n"
    made = _with_lfs(place, _BESIDE + read)
    made.write("table.bin", b"\0\1\2\3")
    return Made(made.path)


def _line_ends_under_core_autocrlf(place: Path) -> Made:
    read = "SIZE = (beside / 'table.csv').read_bytes().count(b'\\r\\n')\n"
    made = _project(place / "code", _BESIDE + read, **{".gitattributes": "*.csv text=auto\n"})
    made.git("config", "core.autocrlf", "true")
    made.write("table.csv", "a\r\nb\r\nc\r\nd\r\nmixed\n")
    made.git("-c", "core.safecrlf=false", "add", "--all")
    made.git("commit", "--quiet", "--message", "line ends")
    return Made(made.path)


def _the_users_settings_of_git(place: Path) -> Made:
    """Give each setting that makes a patch unusable, and an edit that a patch would hold."""
    made = _project(place / "code", THREE, **{"Größe.txt": "3"})
    program = place / "program"
    program.write_text("#!/bin/sh\necho nothing changed\n")
    program.chmod(0o755)
    settings = {
        "color.ui": "always",
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.external": str(program),
        "core.quotePath": "true",
        "status.showUntrackedFiles": "no",
    }
    for name, value in settings.items():
        made.git("config", name, value)
    made.write("network.py", _BESIDE + "SIZE = int((beside / 'Größe.txt').read_text())\n")
    made.write("Größe.txt", "4")
    return Made(made.path)


_ODD = ("a b.txt", "new\nline.txt", "Grüße.txt", "-rf.txt")


def _odd_file_names(place: Path) -> Made:
    read = "SIZE = sum(int(file.read_text()) for file in beside.glob('odd/*.txt'))\n"
    made = _project(place / "code", _BESIDE + read)
    for number, name in enumerate(_ODD):
        made.write(f"odd/{name}", "0" if number % 2 else "1")
    made.commit()
    for name in _ODD:
        made.write(f"odd/{name}", "1")
    made.path.joinpath("train.py").rename(made.path / "-my träining.py")
    return Made(made.path, script="./-my träining.py")


def _sparse_clone(place: Path) -> Made:
    origin = _project(
        place / "origin", _UNLESS_OVERRIDDEN, **{"override/size.py": THREE, "kept/a.py": ""}
    )
    origin.git("clone", "--quiet", "--sparse", f"file://{origin.path}", str(place / "code"))
    made = Repository(place / "code")
    made.git("sparse-checkout", "set", "kept")
    return Made(made.path)


def _shallow_clone(place: Path) -> Made:
    made = _cloned(place, "--depth=1")
    made.write("network.py", FOUR)
    return Made(made.path)


def _worktree(place: Path) -> Made:
    made = _project(place / "main", THREE)
    made.git("worktree", "add", "--quiet", str(place / "code"))
    (place / "code" / "network.py").write_text(FOUR)
    return Made(place / "code")


CODE_STATES: dict[str, Callable[[Path], Made]] = {
    function.__name__.strip("_").replace("_", " "): function
    for function in (
        *(_clean, _dirty, _staged_only, _staged_then_edited_again, _deleted_file, _renamed),
        *(_mode_bit, _symlink_inside_the_tree, _binary_edit, _untracked_file, _untracked_folder),
        *(_unpushed_commits, _detached_head, _no_remote, _no_commit_yet, _no_git_at_all),
        *(_subfolder_as_working_directory, _submodule_clean, _submodule_edited),
        *(_submodule_at_another_commit, _nested_repository, _nested_repository_that_is_tracked),
        *(_lfs_pointers, _lfs_files_in_place_of_their_pointers, _line_ends_under_core_autocrlf),
        *(_the_users_settings_of_git, _odd_file_names, _sparse_clone, _shallow_clone, _worktree),
    )
}
"""What makes each state in an empty folder."""
