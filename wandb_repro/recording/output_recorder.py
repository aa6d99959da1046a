"""Records the files that a run leaves behind."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.outputs.contents import printable
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.output_folder import MOST_FILES, files_below
from wandb_repro.capture.outputs.run_folder import saved_files
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.recording.artifact_entries import LoggedArtifact, logged_artifact
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.output_reader import OutputReader
from wandb_repro.recording.process_state import process

_MOST_OF_ARTIFACT = 1_000
"""Files of an artifact that are recorded one by one."""


class OutputRecorder:
    """Notes what one run saves, and digests it: artifacts when logged, the rest at the end.

    Args:
        run_id: of the run.
        folder: ``run.dir``.
        started_in: folder in which the script was started.
    """

    def __init__(self, run_id: str, folder: Path, started_in: Path) -> None:
        self._run_id = run_id
        self._folder = folder
        self._started_in = started_in
        self._owner = os.getpid()
        self._versions = Counter[str]()
        self._logged: list[OutputFile] = []
        self._noted: dict[int, object] = {}
        self._saved: dict[Path, bool] = {}
        """Absolute paths, and whether the script gave them so."""
        self._reader = OutputReader()
        self.record: Outputs | Unavailable | None = None
        """All files, once the run has ended."""

    @harmless("an artifact's files")
    def artifact_logged(
        self,
        subject: Any,
        name: str | None = None,
        kind: str | None = None,
        *,
        only_new: bool = False,
    ) -> None:
        """Digest the files of an artifact, or of a path that W&B makes one of.

        Args:
            subject: the artifact or path.
            name: of the artifact made of a path.
            kind: its type.
            only_new: do nothing if this object was logged before.
        """
        if self._owner != os.getpid() or (only_new and id(subject) in self._noted):
            return
        artifact = logged_artifact(subject, name, kind, self._run_id)
        if artifact is None:
            return
        self._noted[id(subject)] = subject
        with unrecorded():
            self._add(artifact)

    def _add(self, artifact: LoggedArtifact) -> None:
        place: dict[str, Any] = {
            "place": "artifact",
            "artifact": artifact.name,
            "version": self._versions[artifact.name],
            "type": artifact.type,
        }
        self._versions[artifact.name] += 1
        entries, budget = list(artifact.entries), OutputBudget()
        local = [(printable(path), found) for path, found, _ in entries if found is not None]
        if len(entries) > _MOST_OF_ARTIFACT:
            self._logged.append(self._reader.folder(local, budget, path="", **place))
            return
        read = [self._reader.file(file, budget, path=path, **place) for path, file in local]
        self._logged += read
        self._logged += [
            OutputFile(path=printable(path), **_reference(digest), **place)
            for path, found, digest in entries
            if found is None
        ]

    def saved(self, path: object) -> None:
        """Note a file or folder that Keras wrote; it is read when the run ends."""
        if isinstance(path, (str, os.PathLike)) and self._owner == os.getpid():
            given: str | bytes = os.fspath(path)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            text = os.fsdecode(given)
            self._saved[Path(os.path.abspath(text))] = os.path.isabs(text)  # noqa: PTH100, PTH117 - links stay

    def read_at_end(self, root: Path | None) -> None:
        """Digest all files in the run's folder, and those that Keras wrote elsewhere.

        Args:
            root: top of the source tree; None if there is none.
        """
        if process.outputs.get(self._run_id) is self:
            del process.outputs[self._run_id]
        self.record = guarded(lambda: self._read(root), "the files that the run saved")

    def _read(self, root: Path | None) -> Outputs:
        budget = OutputBudget()
        found: list[OutputFile] = []
        left_out = max(0, len(self._logged) - MOST_FILES)
        with unrecorded():
            for place, name, path in self._files(root):
                if len(found) == MOST_FILES:
                    left_out += 1
                else:
                    name = printable(name)
                    found.append(self._reader.file(path, budget, place=place, path=name))
        files = sorted(
            (*found, *self._logged[:MOST_FILES]), key=lambda f: (f.place, f.name, f.version)
        )
        return Outputs(files=tuple(files), left_out=left_out)

    def _files(self, root: Path | None) -> Iterator[tuple[str, str, Path]]:
        """Yield place, name and path of each file, at most ten times as many as are recorded."""
        most = 10 * MOST_FILES
        for name, path in islice(saved_files(self._folder), most):
            yield "run", name, path
        for path, is_absolute in self._saved.items():
            if not path.is_relative_to(self._folder):
                name = self._named(path, root, is_absolute=is_absolute)
                for below, file in islice(_written(path, name), most):
                    yield "disk", below, file

    def _named(self, path: Path, root: Path | None, *, is_absolute: bool) -> str:
        """Return a path that is the same in a rerun, whose source tree is elsewhere."""
        inside = [self._started_in, *([root] if root else [])]
        if not is_absolute or any(path.is_relative_to(folder) for folder in inside):
            return os.path.relpath(path, self._started_in)
        if path.is_relative_to(tempfile.gettempdir()):
            return f"(temporary)/{path.name}"
        return str(path)


def _written(path: Path, name: str) -> Iterable[tuple[str, Path]]:
    """Yield what is at a path that Keras wrote: a file, or all files of a folder."""
    if path.is_dir():
        for below, file in files_below(path):
            yield f"{name}/{below}", file
    elif os.path.lexists(path):
        yield name, path
    else:
        # TensorFlow's checkpoints are several files, named after the path. A model that the script
        # has deleted is not an output.
        for file in sorted(path.parent.glob(f"{path.name}.*")):
            yield f"{name}{file.name[len(path.name) :]}", file


def _reference(digest: str) -> dict[str, Any]:
    missing = Unavailable(unavailable="its bytes are not read: it is a reference")
    return {
        "size_bytes": missing,
        "kind": "reference",
        "digest": f"wandb:{digest}" if digest else missing,
    }
