"""The source tree of a run: read when the run starts, bundled while the script continues."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.source.committed_secrets import without_committed_secrets
from wandb_repro.capture.source.extra_files import SnapshotFiles
from wandb_repro.capture.source.repository import state_from_variables
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.capture.source.uncommitted_diff import changes
from wandb_repro.files import write_atomically
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, BundleFile, Code, GitState, LeftOut
from wandb_repro.manifest.request import Options, RerunRequest
from wandb_repro.recording.background import Background
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.message_texts import secrets_left_out
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.source_options import wanted
from wandb_repro.recording.wandb_run import Run, folders_of
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import local_bundle, local_bundles, read_manifest


class _Complete(NamedTuple):
    """A source tree whose record is complete."""

    code: Code | Unavailable
    snapshot: Snapshot | Unavailable


class Source:
    """The source tree of a run, recorded in two steps: the tree at once, its bundle later.

    Args:
        code: the record, without its bundle and git state.
        complete: makes the record with its bundle.
        snapshot: the files of the tree; a reason if none was taken.
        root: top of the tree; None if there is no tree.
        git_of: reads the git state of a snapshot.
    """

    def __init__(
        self,
        code: Code | Unavailable,
        complete: Background[_Complete],
        *,
        snapshot: Snapshot | Unavailable,
        root: Path | None,
        git_of: Callable[[Snapshot], GitState | Unavailable] = lambda taken: taken.git,
    ) -> None:
        self.code = code
        self.root = root
        self._complete = complete
        self._git_of = git_of
        self._git: GitState | Unavailable | None = None
        self._snapshot = snapshot

    @property
    def paths(self) -> frozenset[str]:
        """Files of the snapshot, POSIX, relative to its root; empty if none was taken."""
        return frozenset() if isinstance(self._snapshot, Unavailable) else self._snapshot.paths()

    @property
    def snapshotted(self) -> SnapshotFiles | None:
        """Files taken into the snapshot; None if there is none, as in a rerun."""
        if isinstance(self._snapshot, Unavailable):
            return None
        taken = self._snapshot
        return SnapshotFiles(taken.root, taken.entries, taken.excluded)

    def settle(self, timeout_s: float) -> None:
        """Wait for the bundle; if it is not written in time, the record says so."""
        complete = self._complete.settled(timeout_s)
        if isinstance(complete, _Complete):
            self.code, self._snapshot = complete
            self._read_git()
        elif isinstance(self.code, Code):
            self.code = self.code.model_copy(update={"bundle": complete})

    def _read_git(self) -> None:
        # Not in the background: this imports GitPython, and no thread of ours imports.
        taken = self._snapshot
        if isinstance(self.code, Unavailable) or isinstance(taken, Unavailable):
            return
        if self._git is None:
            self._git = guarded(lambda: self._git_of(taken), "git state")
        self.code = self.code.model_copy(update={"git": self._git})

    def close(self) -> None:
        """Delete the snapshot's temporary files."""
        if isinstance(self._snapshot, Snapshot):
            self._snapshot.close()


def recorded_source(
    run: Run,
    host: Host,
    *,
    options: Options,
    capsule: Capsule,
    ahead: EarlySnapshot | None = None,
    after: threading.Event | None = None,
) -> Source:
    """Record the source tree that the script belongs to, unless W&B's settings forbid it.

    Without the snapshot ``ahead``, one is taken now; the bundle waits for the event ``after``.
    """
    snapshot = _snapshot(run, host, options, ahead)
    if isinstance(snapshot, Unavailable):
        nothing = Background(lambda: _Complete(snapshot, snapshot), "source tree")
        return Source(snapshot, nothing, snapshot=snapshot, root=None)
    complete = Background(
        lambda: _completed(snapshot, options.code, capsule),
        "source tree",
        after=after,
        is_complete=_has_bundle,
    )
    return Source(
        _without_bundle(snapshot),
        complete,
        snapshot=snapshot,
        root=snapshot.root,
        git_of=lambda taken: _git_state(taken, host),
    )


def _has_bundle(tree: _Complete) -> bool:
    return isinstance(tree.code, Code) and not isinstance(tree.code.bundle, Unavailable)


def _completed(taken: Snapshot, choice: str, capsule: Capsule) -> _Complete:
    searched = guarded(lambda: without_committed_secrets(taken), "secrets in committed files")
    if isinstance(searched, Unavailable):
        warn_once(f"the source tree is not stored, it could not be searched: {searched}")
        snapshot, bundle = taken, searched
    else:
        snapshot = searched
        if message := secrets_left_out(_added(searched, taken)):
            warn_once(message)
        bundle = guarded(lambda: stored(snapshot.write_bundle, capsule.bundle, choice), _BUNDLE)
    if choice != "local":
        harmless("diff of uncommitted changes")(_write_changes)(snapshot, capsule)
    left_out = guarded(snapshot.all_left_out, "files left out")
    if isinstance(left_out, Unavailable):
        warn_once(f"not all files that are not stored are listed: {left_out}")
    code = snapshot.record(
        bundle,
        git=_NO_GIT_YET,
        left_out=None if isinstance(left_out, Unavailable) else left_out,
    )
    return _Complete(code, snapshot)


def _added(searched: Snapshot, taken: Snapshot) -> list[LeftOut]:
    """Return the files that only the search left out: the others were named at the start."""
    return [left for left in searched.left_out if left not in taken.left_out]


def _git_state(snapshot: Snapshot, host: Host) -> GitState | Unavailable:
    git = snapshot.git
    return state_from_variables(host.environ, git) if isinstance(git, Unavailable) else git


def _write_changes(snapshot: Snapshot, capsule: Capsule) -> None:
    if text := changes(snapshot):
        write_atomically(capsule.changes, text.encode())


_BUNDLE = "bundle of the source tree"
_NOT_YET = Unavailable(unavailable="the bundle was still being written")
_NO_GIT_YET = Unavailable(unavailable="the git state was still being read")


def _without_bundle(snapshot: Snapshot) -> Code | Unavailable:
    return guarded(lambda: snapshot.record(_NOT_YET, git=_NO_GIT_YET), "source tree")


def _snapshot(
    run: Run, host: Host, options: Options, ahead: EarlySnapshot | None
) -> Snapshot | Unavailable:
    reason = guarded(lambda: why_no_code(options.code, run), "source tree")
    if isinstance(reason, Unavailable):
        return reason
    if reason:
        return Unavailable(unavailable=reason)
    return guarded(lambda: _taken(run, host, options, ahead), "source tree")


def _taken(
    run: Run, host: Host, options: Options, ahead: EarlySnapshot | None
) -> Snapshot | Unavailable:
    tree, exclude = wanted(run.settings, host, options), folders_of(run)
    early = None if ahead is None else ahead.snapshot(tree, exclude)
    if early is not None:
        return early
    return take_snapshot(tree.start, exclude=exclude, limits=tree.limits, selection=tree.selection)


def stored(write: Callable[[Path], BundleFile], path: Path, choice: str) -> BundleFile:
    """Write a bundle into the capsule, or with ``code="local"`` into a folder never uploaded.

    Args:
        write: writes the bundle to a path.
        path: of the bundle in the capsule.
        choice: the ``code`` option of ``init``.
    """
    if choice != "local":
        return write(path)
    folder = local_bundles()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / f"{os.getpid()}-{path.name}.writing"
    bundle = write(unfinished)
    unfinished.replace(local_bundle(bundle.sha256))
    return bundle.model_copy(update={"name": path.name, "kept": "local"})


def restored_source(request: RerunRequest, capsule: Capsule) -> Source:
    """Return the restored tree of a rerun; its id was checked before the process started."""
    original = Capsule(Path(request.capsule))
    code = guarded(lambda: read_manifest(original).execution.code, "source tree")
    if isinstance(code, Code):
        moved = {"root": request.code_root, "added": _moved(code, request), "bundle": _NOT_YET}
        code = code.model_copy(update=moved)
    no_snapshot = Unavailable(unavailable="a rerun has the tree of its original")
    complete = Background(
        lambda: _Complete(_with_copied_bundle(code, original, capsule), no_snapshot), "source tree"
    )
    return Source(code, complete, snapshot=no_snapshot, root=Path(request.code_root))


def _with_copied_bundle(
    code: Code | Unavailable, original: Capsule, capsule: Capsule
) -> Code | Unavailable:
    if isinstance(code, Unavailable):
        return code
    recorded = read_manifest(original).execution.code
    if isinstance(recorded, Code) and original.added.is_file():
        shutil.copyfile(original.added, capsule.added)
    return code.model_copy(update={"bundle": _copied(recorded, original, capsule)})


def _moved(code: Code, request: RerunRequest) -> Added | Unavailable:
    """Return the files outside the tree, with their folder at the same position relative to it."""
    added = code.added
    if isinstance(added, Unavailable):
        return added
    above = os.path.relpath(added.top, code.root)
    return added.model_copy(update={"top": os.path.normpath(f"{request.code_root}/{above}")})


def _copied(
    code: Code | Unavailable, original: Capsule, capsule: Capsule
) -> BundleFile | Unavailable:
    if isinstance(code, Unavailable) or isinstance(code.bundle, Unavailable):
        return Unavailable(unavailable="the original has no bundle")
    if code.bundle.kept == "run":
        shutil.copyfile(original.bundle, capsule.bundle)
    return code.bundle


def why_no_code(choice: str, run: Run) -> str:
    """Return why the source tree may not be stored; empty if it may."""
    if choice == "off":
        return 'code="off": the source tree was not stored'
    if choice != "auto":
        return ""
    settings = run.settings
    for name, switch in (
        ("disable_code", "disable_code (WANDB_DISABLE_CODE)"),
        ("disable_git", "disable_git (WANDB_DISABLE_GIT)"),
    ):
        if getattr(settings, name, False):
            return f"W&B's {switch} is on; pass code='upload' or code='local' to store it anyway"
    if getattr(settings, "save_code", None) is False:
        return "save_code=False was given to W&B; pass code='upload' or code='local' to store it"
    return ""
