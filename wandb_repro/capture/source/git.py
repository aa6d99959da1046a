"""The git command, so that nothing of the repository it reads can run or be changed.

A child process that cannot hang us, and leaves nothing running when it is given up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from wandb_repro.errors import CodeError, HungError
from wandb_repro.process_group import signal_group

__all__ = [
    "HARDENED",
    "Git",
    "commit_at",
    "private_repository",
    "setting_at",
    "user_setting",
    "watched",
]


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
"""Nothing is asked, fetched, locked or read from anywhere but the repository itself."""

_SETTINGS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.untrackedCache=false",
    "protocol.allow=never",
    "gc.auto=0",
    # NOTE: what is stored as a loose object makes git renew the time of the same object in the
    # user's store, which would be a change to it.
    "fastimport.unpackLimit=0",
    "maintenance.auto=false",
    # A blob above this is streamed, not held: a small bundle may unpack to a large one.
    "core.bigFileThreshold=16m",
)
PATIENCE_S = 10.0
"""How long git may take for what it is asked while a training starts."""
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME")
"""HOME and XDG_CONFIG_HOME lead to the user's own list of ignored files."""


@dataclass(frozen=True)
class Git:
    """Git on one repository.

    The repository is named, never searched for: neither the caller's ``GIT_DIR`` nor
    ``core.worktree`` has a say, nor the check of its owner (``safe.directory``), which is part of
    the search.
    """

    git_dir: Path
    """The repository, or the file that stands for it in a linked work tree or submodule."""
    work_tree: Path | None = None
    timeout_s: float = field(default_factory=lambda: PATIENCE_S)
    object_bytes: int | None = None
    """What git may hold in memory at once for an object; None for any size."""

    def run(self, *arguments: str) -> bytes:
        """Return what a git command prints.

        Raises:
            CodeError: git is missing, fails, or does not end in time.
        """
        with self.started(*arguments) as process:
            output, _ = process.communicate()
        return output

    def names(self, *arguments: str) -> list[bytes]:
        """Return what a git command prints, split at the NULs that ``-z`` ends each entry with.

        Raises:
            CodeError: as :meth:`run`.
        """
        return self.run(*arguments).split(b"\0")[:-1]

    @contextlib.contextmanager
    def started(
        self, *arguments: str, stdout: IO[bytes] | int = subprocess.PIPE
    ) -> Generator[subprocess.Popen[bytes]]:
        """Run a git command while the block talks to it.

        Raises:
            CodeError: as :meth:`run`; raised when the block is left.
        """
        command = ["git", f"--git-dir={self.git_dir}"]
        if self.work_tree is not None:
            command.append(f"--work-tree={self.work_tree}")
        for setting in _SETTINGS:
            command += ["-c", setting]
        with watched(
            [*command, *arguments],
            what=f"git {next(a for a in arguments if not a.startswith('-') and '=' not in a)}",
            cwd=self.work_tree or self.git_dir,
            environment=_environment() | HARDENED | self._limit(),
            stdout=stdout,
            timeout_s=self.timeout_s,
        ) as process:
            yield process

    def _limit(self) -> dict[str, str]:
        # NOTE: git's own name for it, told nowhere in its manual: wrapper.c, memory_limit_check.
        return {} if self.object_bytes is None else {"GIT_ALLOC_LIMIT": str(self.object_bytes)}


def private_repository(folder: Path) -> Git:
    """Return a new bare repository in an empty folder: no template, so no hook in it.

    Raises:
        CodeError: git is missing or fails.
    """
    git = Git(folder)
    git.run("init", "--quiet", "--bare", "--template=", "--object-format=sha1", str(folder))
    return git


def user_setting(name: str) -> str:
    """Return a path that the user set for all their repositories, or an empty string.

    Raises:
        CodeError: git is missing or does not end in time.
    """
    return _answer(Path("/"), "config", "--path", "--default", "", "--get", name)


def setting_at(folder: Path, name: str) -> str:
    """Return a setting as it holds in a folder, or an empty string.

    Raises:
        CodeError: git is missing or does not end in time.
    """
    return _answer(folder, "config", "--default", "", "--get", name)


def commit_at(folder: Path) -> str:
    """Return HEAD of the repository that a folder belongs to, hexadecimal.

    Raises:
        CodeError: there is none, git is missing, or does not end in time.
    """
    return _answer(folder, "rev-parse", "--verify", "HEAD")


def _answer(folder: Path, *arguments: str) -> str:
    with watched(
        ["git", *arguments],
        what=f"git {arguments[0]}",
        cwd=folder,
        environment=_environment(),
        stdout=subprocess.PIPE,
        timeout_s=5.0,
    ) as process:
        output, _ = process.communicate()
    return os.fsdecode(output.rstrip(b"\n"))


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


@contextlib.contextmanager
def watched(
    command: list[str],
    *,
    what: str,
    cwd: Path,
    environment: dict[str, str],
    stdout: IO[bytes] | int,
    timeout_s: float,
) -> Generator[subprocess.Popen[bytes]]:
    """Run a process in a group of its own, and end the whole group when its time is over.

    NOTE: a timeout of subprocess ends git alone; what git started would live on, and hold the pipe.

    Raises:
        CodeError: it cannot be started or fails; when the block is left.
        HungError: it does not end in time.
    """
    with tempfile.TemporaryFile() as complaints:
        process = _start(command, cwd, environment, stdout, complaints)
        expired = threading.Event()
        watch = threading.Timer(timeout_s, _give_up, (process, expired))
        watch.daemon = True
        watch.start()
        broken = False
        try:
            yield process
            _close(process)
            process.wait()
        except BrokenPipeError:
            broken = True
        finally:
            watch.cancel()
            if process.poll() is None:
                signal_group(process, signal.SIGKILL)
            _close(process)
            process.wait()
        _check(process.returncode, what, complaints, broken=broken, late=expired.is_set())


def _start(
    command: list[str],
    cwd: Path,
    environment: dict[str, str],
    stdout: IO[bytes] | int,
    complaints: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=complaints,
            start_new_session=True,
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and cwd.is_dir()
        message = "git is not on PATH" if missing else f"git cannot be started: {error}"
        raise CodeError(message, hint="install git, or put it on PATH") from error


def _give_up(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    signal_group(process, signal.SIGKILL)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _check(code: int, what: str, complaints: IO[bytes], *, broken: bool, late: bool) -> None:
    if late:
        raise HungError(
            f"{what} did not end in time", hint="is the folder on a network disk that hangs?"
        )
    if code != 0 or broken:
        complaints.seek(0)
        lines = complaints.read().decode("utf-8", "replace").strip().splitlines()
        fatal = [line for line in lines if line.startswith("fatal:")]
        told = [f"it ended with {code}", *lines, *fatal]
        raise CodeError(f"{what} failed: {told[-1]}")
