"""Real git repositories, made for one test each."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

__all__ = ["Repository", "fingerprint", "in_tree", "on_disk", "repository"]

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_ALLOW_PROTOCOL": "file",
    "LC_ALL": "C",
}


class Repository:
    """A git repository in a folder, driven as its user would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Return what git prints as text, its last line's end cut off."""
        return os.fsdecode(self.output(*arguments, stdin=stdin)).rstrip("\n")

    def output(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what git prints."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=_ENVIRONMENT,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the work tree, its folders made; return where it is."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, message: str = "a commit") -> str:
        """Commit all that is not ignored; return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


def repository(path: Path, **files: str | bytes) -> Repository:
    """Return a new repository with one commit of these files and of ``train.py``."""
    path.mkdir(parents=True, exist_ok=True)
    made = Repository(path)
    made.git("init", "--quiet", "--initial-branch=main")
    made.write("train.py", "print('training')\n")
    for name, content in files.items():
        made.write(name, content)
    made.commit()
    return made


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return mode, time of change and digest of everything below a folder."""
    found: dict[str, tuple[int, int, str]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        else:
            content = path.read_bytes() if path.is_file() else b""
        digest = hashlib.sha256(content).hexdigest()
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, digest)
    return found


def on_disk(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Return git's mode and the bytes of every file below a folder, ``.git`` not looked into."""
    found: dict[str, tuple[str, bytes]] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if ".git" in name.parts:
            continue
        if path.is_symlink():
            found[str(name)] = ("120000", os.fsencode(path.readlink()))
        elif path.is_file():
            mode = "100755" if path.lstat().st_mode & 0o100 else "100644"
            found[str(name)] = (mode, path.read_bytes())
    return found


def in_tree(git_dir: Path, tree: str) -> dict[str, tuple[str, bytes]]:
    """Return git's mode and the bytes of every file of a tree, as git tells them."""
    command = ["git", f"--git-dir={git_dir}"]
    listed = _output([*command, "ls-tree", "-r", "-z", tree]).split(b"\0")[:-1]
    found: dict[str, tuple[str, bytes]] = {}
    for line in listed:
        facts, _, name = line.partition(b"\t")
        mode, kind, blob = facts.decode().split()
        found[os.fsdecode(name)] = (mode, _output([*command, "cat-file", kind, blob]))
    return found


def _output(command: list[str]) -> bytes:
    return subprocess.run(command, env=_ENVIRONMENT, capture_output=True, check=True).stdout
