"""Compares the files that two runs left behind."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import NamedTuple

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.manifest.volatile_files import is_volatile_file, repeatable_name
from wandb_repro.verify.outcome import OutputDifference

_DIGITS = 8


class ComparedFiles(NamedTuple):
    """What is known of the files of two runs."""

    differences: tuple[OutputDifference, ...] = ()
    compared: int = 0
    """Files that both runs have and that were compared."""
    volatile: tuple[str, ...] = ()
    """Files that differ in every run, such as logs: they were not compared."""
    unknown: tuple[str, ...] = ()
    """Files that could not be compared, and why: these are doubts."""
    not_recorded: tuple[str, ...] = ()
    """Runs whose record has no files, because an older version made it or a golden file keeps none:
    nothing is known of them, and nothing is claimed."""


class _Key(NamedTuple):
    place: str
    artifact: str
    version: int
    path: str


_Grouped = dict[_Key, list[OutputFile]]


def output_differences(
    original: Manifest, rerun: Manifest, patterns: Sequence[str] = ()
) -> ComparedFiles:
    """Compare all files that two finished runs left behind.

    Args:
        original: record of the run that was repeated.
        rerun: record of the other.
        patterns: names of further files that are volatile, as the shell writes them.
    """
    sides = (original.description.outputs, rerun.description.outputs)
    files_1, files_2 = sides
    if isinstance(files_1, Unavailable) or isinstance(files_2, Unavailable):
        return _not_recorded(original, rerun)
    volatile: dict[str, None] = {}
    all_1, all_2 = (_grouped(files, patterns, volatile) for files in (files_1, files_2))
    grouped_1 = _without_id(all_1, all_2, original.run.id)
    grouped_2 = _without_id(all_2, all_1, rerun.run.id)
    found = _Found()
    for key in dict.fromkeys((*grouped_1, *grouped_2)):
        found.compare(grouped_1.get(key, []), grouped_2.get(key, []))
    left_out = max(files_1.left_out, files_2.left_out)
    if left_out:
        found.unknown.append(f"{left_out:,} more files: there are too many")
    return ComparedFiles(
        tuple(found.differences), found.compared, tuple(volatile), tuple(found.unknown)
    )


def _not_recorded(original: Manifest, rerun: Manifest) -> ComparedFiles:
    unknown: list[str] = []
    absent: list[str] = []
    for who, manifest in (("original", original), ("rerun", rerun)):
        outputs = manifest.description.outputs
        if "outputs" not in manifest.description.model_fields_set:
            absent.append(f"files: not recorded in the {who}")
        elif isinstance(outputs, Unavailable):
            unknown.append(f"files of the {who}: {outputs}")
    return ComparedFiles(unknown=tuple(unknown), not_recorded=tuple(absent))


def _grouped(outputs: Outputs, patterns: Sequence[str], volatile: dict[str, None]) -> _Grouped:
    """Return files by the name that they have in every run; note the volatile ones."""
    grouped: _Grouped = {}
    for file in outputs.files:
        path = repeatable_name(file.path)
        if _is_volatile(file, patterns):
            volatile[path] = None
            continue
        artifact = repeatable_name(file.artifact)
        grouped.setdefault(_Key(file.place, artifact, file.version, path), []).append(file)
    return grouped


def _without_id(grouped: _Grouped, other: _Grouped, run_id: str) -> _Grouped:
    """Return files that only this run has under a name without its id, the others unchanged."""
    # Not all: an id may be a word that is in other names too.
    renamed: _Grouped = {}
    for key, files in grouped.items():
        artifact, path = (repeatable_name(name, run_id) for name in (key.artifact, key.path))
        name = key if key in other else key._replace(artifact=artifact, path=path)
        renamed.setdefault(name, []).extend(files)
    return renamed


def _is_volatile(file: OutputFile, patterns: Sequence[str]) -> bool:
    of_artifact = bool(file.artifact) and any(fnmatchcase(file.artifact, it) for it in patterns)
    return of_artifact or is_volatile_file(file.path, patterns)


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.differences: list[OutputDifference] = []
        self.compared = 0
        self.unknown: list[str] = []

    def compare(self, files_1: list[OutputFile], files_2: list[OutputFile]) -> None:
        """Compare the files of one name: several only if the name held a time or a digest."""
        left_2 = list(files_2)
        left_1: list[OutputFile] = []
        for file in files_1:
            same = next((other for other in left_2 if _is_same(file, other)), None)
            if same is None:
                left_1.append(file)
            else:
                left_2.remove(same)
                self.compared += 1
        for file_1, file_2 in zip_longest(left_1, left_2):
            self._add(file_1, file_2)

    def _add(self, file_1: OutputFile | None, file_2: OutputFile | None) -> None:
        if file_1 is None or file_2 is None:
            self.differences.append(_missing(file_1, file_2))
        elif reason := _not_comparable(file_1, file_2):
            self.unknown.append(f"{file_1.name}: {reason}")
        else:
            self.compared += 1
            self.differences.append(_different(file_1, file_2))


def _is_same(one: OutputFile, two: OutputFile) -> bool:
    return isinstance(one.digest, str) and one.digest == two.digest


def _not_comparable(one: OutputFile, two: OutputFile) -> str:
    """Return why two files cannot be compared; empty if they can be."""
    for file in (one, two):
        if isinstance(file.digest, Unavailable):
            return str(file.digest)
    if one.kind != two.kind:
        return f"one is digested as {one.kind}, the other as {two.kind}"
    return ""


def _missing(file_1: OutputFile | None, file_2: OutputFile | None) -> OutputDifference:
    words = ["not there" if file is None else _saved(file) for file in (file_1, file_2)]
    name = next(file.name for file in (file_1, file_2) if file is not None)
    return OutputDifference(what="file", key=name, where="", original=words[0], rerun=words[1])


def _saved(file: OutputFile) -> str:
    return "logged" if file.place == "artifact" else "saved"


def _different(file_1: OutputFile, file_2: OutputFile) -> OutputDifference:
    """Return how two files differ: the first tensor, and how many."""
    parts_1, parts_2 = file_1.parts, file_2.parts
    names = [
        name
        for name in dict.fromkeys((*parts_1, *parts_2))
        if parts_1.get(name) != parts_2.get(name)
    ]
    if not parts_1 or not parts_2 or not names:
        return OutputDifference(
            what="file", key=file_1.name, where="", original=_short(file_1), rerun=_short(file_2)
        )
    return OutputDifference(
        what="file",
        key=file_1.name,
        where=names[0],
        original=parts_1.get(names[0], "not there"),
        rerun=parts_2.get(names[0], "not there"),
        places=len(names),
    )


def _short(file: OutputFile) -> str:
    return str(file.digest).rpartition(":")[2][:_DIGITS]
