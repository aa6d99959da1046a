"""Restores a source tree from its bundle into a new folder, and proves that it is the recorded one.

The bundle may come from anyone. Nothing is checked out: git only unpacks, checks and lists
objects in a private repository, and each file is created here, where nothing was before, so
filters, attributes, line endings, hooks and submodules have no effect.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from wandb_repro.capture.source.bundle import file_of
from wandb_repro.capture.source.git import Git, private_repository
from wandb_repro.errors import CodeError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.rerun.git_tree import Budget, list_tree, tree_on_disk, write_tree

_HARMLESS = (
    # These are about files that only a checkout or a submodule command would act on.
    *("gitmodulesBlob", "gitmodulesLarge", "gitmodulesMissing", "gitmodulesName"),
    *("gitmodulesParse", "gitmodulesPath", "gitmodulesSymlink", "gitmodulesUpdate"),
    *("gitmodulesUrl", "gitattributesBlob", "gitattributesLarge", "gitattributesLineLength"),
    *("gitattributesMissing", "gitattributesSymlink", "gitignoreSymlink", "mailmapSymlink"),
)


def restore(
    bundle: Path,
    code: Code,
    destination: Path,
    *,
    budget: Budget = Budget(),  # noqa: B008  (frozen)
) -> None:
    """Write the tree that `code` records to `destination`, byte for byte.

    Args:
        bundle: the file that ``code.bundle`` describes.
        code: the record of the tree.
        destination: must not exist, or be an empty folder.
        budget: limits; a larger tree is refused before anything is written.

    Raises:
        CodeError: the bundle is not the recorded one, is hostile or too large, or does not hold
            the recorded tree. Nothing is left at `destination` then.
    """
    if re.fullmatch(r"[0-9a-f]{40}", code.tree) is None:
        raise CodeError(f"the record names no tree id: {code.tree!r}")
    try:
        _check_destination(destination)
        check_bundle(bundle, code, budget)
        with _workplace(destination) as workplace:
            _restore(bundle, code.tree, workplace, budget)
            (workplace / "tree").rename(destination)
    except OSError as error:
        raise CodeError(f"the code cannot be restored: {error}") from error


def _check_destination(destination: Path) -> None:
    if destination.is_symlink() or (destination.exists() and not _is_empty_folder(destination)):
        raise CodeError(
            f"{destination} already exists", hint="name a folder that does not exist yet"
        )


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def check_bundle(bundle: Path, code: Code, budget: Budget) -> None:
    """Check that a file is the recorded bundle, before anything in it is read.

    Raises:
        CodeError: it is a different bundle, not a file, or too large.
        OSError: it cannot be read.
    """
    if isinstance(code.bundle, Unavailable):
        raise CodeError(f"the code was not stored: {code.bundle}")
    status = bundle.stat()
    if not stat.S_ISREG(status.st_mode):
        raise CodeError(f"{bundle} is no file")
    if status.st_size > budget.bundle_bytes:
        raise CodeError(f"{bundle} is larger than {budget.bundle_bytes:,} bytes")
    found = file_of(bundle)
    if found.sha256 != code.bundle.sha256:
        raise CodeError(
            f"{bundle} is not the bundle that was recorded:"
            f" its SHA-256 is {found.sha256}, not {code.bundle.sha256}",
            hint="fetch the run's files again",
        )


@contextmanager
def _workplace(destination: Path) -> Generator[Path]:
    """Make a private folder on the destination's disk, so that a rename moves the tree."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".wandb-repro-", dir=destination.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _restore(bundle: Path, tree: str, workplace: Path, budget: Budget) -> None:
    (workplace / "objects").mkdir()
    git = bounded(private_repository(workplace / "objects"), budget)
    unpack(git, bundle)
    files = list_tree(git, tree, budget)
    _check_objects(git)
    _check_disk(workplace, sum(file.size_bytes for file in files))
    write_tree(git, files, workplace / "tree")
    restored = tree_on_disk(workplace / "tree")
    if restored != tree:
        raise CodeError(f"the restored tree is {restored}, not {tree} as recorded")


def bounded(git: Git, budget: Budget) -> Git:
    """Return git with limits of time and memory."""
    # git expands each delta to compute the object's id: a kilobyte may become gigabytes.
    object_bytes = max(budget.file_bytes, _LEAST_OBJECT_BYTES)
    return replace(git, timeout_s=budget.seconds, object_bytes=object_bytes)


_LEAST_OBJECT_BYTES = 64 * 1024 * 1024


def unpack(git: Git, bundle: Path) -> None:
    """Take the objects of a bundle into a private repository; nothing is checked out."""
    git.run("bundle", "unbundle", os.fspath(bundle.absolute()))


def _check_objects(git: Git) -> None:
    ignored = [part for name in _HARMLESS for part in ("-c", f"fsck.{name}=ignore")]
    git.run(*ignored, "fsck", "--strict", "--full", "--no-dangling", "--no-progress")


def _check_disk(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise CodeError(f"the code needs {needed_bytes:,} bytes, the disk has {free_bytes:,} left")
