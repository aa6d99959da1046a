"""Reads the files that a run leaves behind, each once, as records of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.outputs.contents import Contents, Part, by_parts
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.output_file import OutputDigest, digest_output
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.outputs import OutputFile

_MOST_PARTS = 2_000
"""Tensors of a file that are recorded one by one."""

_MOST_PARTS_OF_RUN = 20_000
_PART_DIGITS = 8


class OutputReader:
    """Digests files; one that has not changed since is not read again."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], OutputDigest] = {}
        self._parts_left = _MOST_PARTS_OF_RUN

    def file(self, file: Path, budget: OutputBudget, **fields: Any) -> OutputFile:
        """Return the record of a file.

        Args:
            file: its path.
            budget: what may still be read.
            fields: where it was saved.
        """
        found = self._digest_or_reason(file, budget)
        if isinstance(found, Unavailable):
            return OutputFile(size_bytes=found, kind="bytes", digest=found, **fields)
        return self._record(found, **fields)

    def folder(
        self, files: Sequence[tuple[str, Path]], budget: OutputBudget, **fields: Any
    ) -> OutputFile:
        """Return one record of many files, which are its parts."""
        parts: list[Part] = []
        size_bytes = 0
        for name, path in files:
            found = self._digest_or_reason(path, budget)
            if isinstance(found, Unavailable):
                reason = Unavailable(unavailable=f"{name}: {found}")
                return OutputFile(size_bytes=reason, kind="folder", digest=reason, **fields)
            size_bytes += found.size_bytes
            parts.append(Part(name, found.contents.digest.rpartition(":")[2]))
        return self._record(OutputDigest(size_bytes, by_parts("folder", parts)), **fields)

    def _record(self, found: OutputDigest, **fields: Any) -> OutputFile:
        contents = found.contents
        return OutputFile(
            size_bytes=found.size_bytes,
            kind=contents.kind,
            digest=contents.digest,
            parts=self._parts(contents),
            **fields,
        )

    def _digest_or_reason(self, path: Path, budget: OutputBudget) -> OutputDigest | Unavailable:
        found = guarded(lambda: self._digest(path, budget), "")
        if isinstance(found, Unavailable):
            why = found.unavailable.removeprefix(": ").removeprefix(f"{DigestError.__name__}: ")
            return Unavailable(unavailable=why)
        return found

    def _digest(self, path: Path, budget: OutputBudget) -> OutputDigest:
        try:
            status = path.stat()
        except OSError:
            return digest_output(path, budget)  # which says why
        state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if state not in self._known:
            self._known[state] = digest_output(path, budget)
        return self._known[state]

    def _parts(self, contents: Contents) -> dict[str, str]:
        count = len(contents.parts)
        if not 1 < count <= min(_MOST_PARTS, self._parts_left):
            return {}
        self._parts_left -= count
        return {part.name: part.digest[:_PART_DIGITS] for part in contents.parts}
