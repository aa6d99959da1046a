"""Commit, branch and remote of a git repository: information for people, not for restoring."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.secrets.redact import redact_text, redact_url
from wandb_repro.capture.source.git import HARDENED
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import GitState

if TYPE_CHECKING:
    from git import Repo


_NO_COMMIT = Unavailable(unavailable="there is no commit yet")
_PUSHED_S = 5
"""Limit for finding HEAD in the remote's branches; a long history may take longer."""


def read_state(
    top: Path, *, commit: str, dirty: bool | Unavailable, changed: tuple[str, ...] = ()
) -> GitState | Unavailable:
    """Return HEAD, branch and remote of the repository whose work tree is `top`.

    The first call imports GitPython (0.2 s). Nothing in the repository is executed.

    Args:
        top: absolute; holds ``.git``.
        commit: HEAD when the snapshot was taken; empty if there is no commit.
        dirty: whether the snapshot differs from HEAD.
        changed: the paths that differ.
    """
    try:
        import git
    except ImportError as error:  # also raised if there is no git command
        return Unavailable(unavailable=f"GitPython cannot be used: {_first_line(error)}")
    foreign = (git.GitError, ValueError)
    try:
        with git.Repo(top, search_parent_directories=False, expand_vars=False) as repo:
            repo.git.update_environment(**HARDENED, **_named(top))
            return GitState(
                commit=commit or _NO_COMMIT,
                # GitPython raises ValueError for the 64 digits of SHA-256.
                branch=guarded(lambda: _branch(repo, commit), "branch", expects=foreign),
                remote=guarded(lambda: _remote(repo), "remote", expects=foreign),
                pushed=guarded(lambda: _pushed(repo, commit), "pushed", expects=foreign),
                dirty=dirty,
                changed=changed,
            )
    except (git.GitError, OSError, ValueError) as error:
        return Unavailable(unavailable=f"GitPython cannot open {top}: {_first_line(error)}")


def state_from_variables(environ: Mapping[str, str], reason: Unavailable) -> GitState | Unavailable:
    """Return the commit and remote from the variables that W&B reads, set in a container.

    Args:
        environ: of the process.
        reason: why the repository itself cannot be read.
    """
    commit, remote = environ.get("WANDB_GIT_COMMIT"), environ.get("WANDB_GIT_REMOTE_URL")
    if not commit and not remote:
        return reason
    return GitState(
        commit=commit or Unavailable(unavailable="WANDB_GIT_COMMIT is not set"),
        branch=reason,
        remote=redact_url(remote)
        if remote
        else Unavailable(unavailable="WANDB_GIT_REMOTE_URL is not set"),
        dirty=reason,
        pushed=reason,
    )


def _named(top: Path) -> dict[str, str]:
    """Return variables that name the repository, so that git neither searches nor checks owners."""
    git_dir = top / ".git"
    return {"GIT_DIR": os.fspath(git_dir), "GIT_WORK_TREE": os.fspath(top)}


def _branch(repo: Repo, commit: str) -> str | Unavailable:
    if repo.head.is_detached:
        return Unavailable(unavailable="HEAD is detached")
    if commit and repo.head.commit.hexsha != commit:
        return Unavailable(unavailable="HEAD has moved since the snapshot was taken")
    return redact_text(repo.active_branch.name)


def _remote(repo: Repo) -> str | Unavailable:
    """Return the address of the branch's remote, or of ``origin``, or of the first one."""
    addresses = {
        remote.name: str(remote.config_reader.get_value("url", "")) for remote in repo.remotes
    }
    if not addresses:
        return Unavailable(unavailable="there is no remote")
    followed = None if repo.head.is_detached else repo.active_branch.tracking_branch()
    name = followed.remote_name if followed else "origin"
    return redact_url(addresses.get(name) or next(iter(addresses.values())))


def _pushed(repo: Repo, commit: str) -> bool | Unavailable:
    if not commit:
        return False
    branches = repo.git.for_each_ref(
        "refs/remotes", contains=commit, count=1, kill_after_timeout=_PUSHED_S
    )
    return bool(branches)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
