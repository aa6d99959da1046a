"""Runs git so that nothing in the repository is executed or changed."""

from __future__ import annotations

import os
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from wandb_repro.capture.source.git_process import Child, output_of, watched

HARDENED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "file",
    "LC_ALL": "C",
}
"""Git does not prompt, fetch or lock, and reads only the repository's own configuration."""

_SETTINGS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.untrackedCache=false",
    "protocol.allow=never",
    "gc.auto=0",
    # NOTE: writing a loose object makes git update the time of the same object in the user's
    # object store, which changes it.
    "fastimport.unpackLimit=0",
    "maintenance.auto=false",
    # Larger blobs are streamed, not kept in memory: a small bundle may unpack to a large blob.
    "core.bigFileThreshold=16m",
)
TIMEOUT_S = 10.0
"""Limit for a command that runs while a training starts."""
_INHERITED = ("PATH", "HOME", "XDG_CONFIG_HOME")
"""HOME and XDG_CONFIG_HOME, so that git finds the user's own list of ignored files."""


@dataclass(frozen=True)
class Git:
    """Git on one repository.

    The repository is given, never searched for. So the caller's ``GIT_DIR``, ``core.worktree`` and
    the check of the owner (``safe.directory``, part of the search) have no effect.
    """

    git_dir: Path
    """The repository, or the ``.git`` file of a linked work tree or submodule."""
    work_tree: Path | None = None
    timeout_s: float = field(default_factory=lambda: TIMEOUT_S)
    object_bytes: int | None = None
    """Limit of memory that git may allocate for one object; None for no limit."""

    def run(
        self, *arguments: str, data: bytes = b"", stdout: IO[bytes] | int = subprocess.PIPE
    ) -> bytes:
        """Return what a git command prints.

        Args:
            arguments: of the command.
            data: its standard input.
            stdout: a file for its output; then nothing is returned.

        Raises:
            CodeError: git is missing or fails.
            HungError: git does not finish within ``timeout_s``.
        """
        return output_of(self._child(arguments, stdout), data, self.timeout_s)

    def names(self, *arguments: str) -> list[bytes]:
        """Return what a git command with ``-z`` prints, split at its NULs.

        Raises:
            CodeError: as :meth:`run`.
        """
        return self.run(*arguments).split(b"\0")[:-1]

    def started(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Run a git command while the block reads from it and writes to it.

        Raises:
            CodeError: as :meth:`run`; raised when the block is left.
        """
        return watched(self._child(arguments, subprocess.PIPE), self.timeout_s)

    def _child(self, arguments: tuple[str, ...], stdout: IO[bytes] | int) -> Child:
        command = ["git", f"--git-dir={self.git_dir}"]
        if self.work_tree is not None:
            command.append(f"--work-tree={self.work_tree}")
        for setting in _SETTINGS:
            command += ["-c", setting]
        # NOTE: undocumented. Source: git, wrapper.c, memory_limit_check.
        limit = {} if self.object_bytes is None else {"GIT_ALLOC_LIMIT": str(self.object_bytes)}
        return Child(
            [*command, *arguments],
            what=f"git {next(a for a in arguments if not a.startswith('-') and '=' not in a)}",
            cwd=self.work_tree or self.git_dir,
            environment=_environment() | HARDENED | limit,
            stdout=stdout,
        )


def private_repository(folder: Path) -> Git:
    """Return a new bare repository in an empty folder, without a template and so without hooks.

    Raises:
        CodeError: git is missing or fails.
    """
    git = Git(folder)
    git.run("init", "--quiet", "--bare", "--template=", "--object-format=sha1", str(folder))
    return git


def user_setting(name: str) -> str:
    """Return a path from the user's global configuration; empty if it is not set.

    Example: ``user_setting("core.excludesFile")``.

    Raises:
        CodeError: git is missing or does not end in time.
    """
    return _output(Path("/"), "config", "--path", "--default", "", "--get", name)


def setting_at(folder: Path, name: str) -> str:
    """Return a setting as git sees it in a folder; empty if it is not set.

    Raises:
        CodeError: git is missing or does not end in time.
    """
    return _output(folder, "config", "--default", "", "--get", name)


def commit_at(folder: Path) -> str:
    """Return the commit id of HEAD of the repository that a folder belongs to, hexadecimal.

    Raises:
        CodeError: there is no commit, git is missing, or does not finish in time.
    """
    return _output(folder, "rev-parse", "--verify", "HEAD")


def _output(folder: Path, *arguments: str) -> str:
    child = Child(["git", *arguments], f"git {arguments[0]}", folder, _environment())
    return os.fsdecode(output_of(child, b"", timeout_s=5.0).rstrip(b"\n"))


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
