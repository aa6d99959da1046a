"""What a rerun is going to do: everything is known and shown before anything is done."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from wandb_repro.capture.process.notebook import RUNNER
from wandb_repro.capture.secrets.redact import REDACTED
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.command import Cells, CellsFile, Command
from wandb_repro.manifest.data import InputFile
from wandb_repro.manifest.machine import Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.manifest.switches import RESTORED
from wandb_repro.rerun.cells import PlannedCells, plan_cells
from wandb_repro.rerun.changed_inputs import changed_files
from wandb_repro.rerun.data_sources import Sources, find_sources, refuse_lacking
from wandb_repro.rerun.restore_extra import folders_up, mirrored

__all__ = ["Inputs", "Link", "Parts", "Plan", "make_plan", "moved"]

_UP_MOST = 16
_THREADS_VARIABLE = "TF_NUM_INTRAOP_THREADS"


@dataclass(frozen=True)
class Link:
    """A file outside the snapshot that is put where the script expects it."""

    place: str
    """POSIX, relative to the restored tree; may begin with ``../``."""
    target: str
    """Absolute path where the original read it."""


@dataclass(frozen=True)
class Inputs:
    """What the original read outside its snapshot."""

    links: tuple[Link, ...]
    missing: tuple[str, ...]
    """Absolute paths that are not here."""
    up: int
    """How many folders above the tree the script looks."""
    changed: tuple[str, ...] = ()
    """Absolute paths of files that are not what the original read."""
    data: Sources = field(default_factory=Sources)
    """Files and folders of data that was fingerprinted with its path."""


@dataclass(frozen=True)
class Parts:
    """The parts of a manifest that a rerun cannot do without."""

    command: Command
    code: Code
    packages: Packages


@dataclass(frozen=True)
class Plan:
    """A rerun, ready to be shown and done."""

    manifest: Manifest
    parts: Parts
    inputs: Inputs
    work: Path
    """New folder: everything that we write is below it."""
    code: Path
    """Where the tree is restored."""
    cwd: Path
    """Where it starts, in the new folder. One outside the tree has one beside it in its place."""
    arguments: tuple[str, ...]
    """What follows the interpreter, as it is shown: flags, target, arguments, credentials cut."""
    credentials: Mapping[int, str]
    """Arguments that hold a credential, whole, by their place in ``arguments``."""
    console_place: int | None
    """Place of an installed command's name in ``arguments``; None for any other start."""
    switches: dict[str, str]
    """Variables that are set."""
    python_path: tuple[Path, ...] = ()
    """Restored folders that modules are looked for in, beside the usual ones."""
    cells: PlannedCells | None = None
    """Of a notebook, where its cells were read."""

    def started_with(self, python: Path) -> list[str]:
        """Return the whole command line for an interpreter; a command is one beside it."""
        words = [self.credentials.get(at, word) for at, word in enumerate(self.arguments)]
        if self.console_place is not None:
            words[self.console_place] = str(python.parent / words[self.console_place])
        return [str(python), *words]

    @property
    def cells_file(self) -> Path:
        """Where the cells are put that are executed."""
        return cells_place(self.work)

    @property
    def environment_folder(self) -> Path:
        """Where a rebuilt environment goes."""
        return self.work / "env"

    @property
    def tree_folder(self) -> Path:
        """What holds the tree, and the folders above it that the script looks into."""
        return self.work / "tree"


def make_plan(
    manifest: Manifest,
    work: Path,
    *,
    threads: int | None = None,
    sets: Mapping[str, str] | None = None,
    values: Mapping[int, str] | None = None,
    data: Mapping[str, str] | None = None,
    allow_missing: bool = False,
    ask_values: bool = True,
    cells: Cells | None = None,
) -> Plan:
    """Return what a rerun of this record will do.

    Args:
        manifest: the record.
        work: new folder for the rerun.
        threads: intra-op threads instead of the recorded number.
        sets: switches instead of the recorded ones, by name.
        values: arguments that were credentials and are not recorded, by position.
        data: where data is that lies elsewhere now, by its name; absolute paths.
        allow_missing: go on although files that the original read are not here.
        ask_values: refuse when an argument that was cut out is not in ``values``.
        cells: of a notebook, what it executed; then ``values`` go by the number of their cell.

    Raises:
        RefusedError: it cannot be started: the sentence says what is missing.
        InconclusiveError: files that the original used are not here, or not as they were.
        UsageError: a position in ``values`` was not cut out, or ``data`` names what is none.
    """
    parts = _parts(manifest)
    inputs = _inputs(manifest, parts.code, data or {})
    if not allow_missing:
        lacking = {"are not here": inputs.missing, "are not the same here": inputs.changed}
        refuse_lacking(lacking)
    up = max(inputs.up, folders_up(parts.code), _up_to_folder(parts))
    code = _code_folder(work / "tree", parts.code.root, up)
    cwd = _working_folder(parts, code, work / "tree")
    before = _before_arguments(parts, work, code, cwd)
    planned = None if cells is None else _cells(parts, cells, values or {}, ask=ask_values)
    return Plan(
        manifest=manifest,
        parts=parts,
        inputs=inputs,
        work=work,
        code=code,
        cwd=cwd,
        arguments=_checked((*before, *_arguments(parts, code))),
        credentials={}
        if planned
        else _credentials(parts.command, values or {}, len(before), ask=ask_values),
        console_place=len(before) - 1 if parts.command.kind == "console" else None,
        switches={**_switches(manifest, parts.command, threads), **(sets or {})},
        cells=planned,
        python_path=tuple(_python_path(parts, code, work / "tree")),
    )


def _python_path(parts: Parts, code: Path, within: Path) -> Iterator[Path]:
    """Yield the folders of the original's PYTHONPATH that the new folder holds, each once."""
    seen: set[Path] = set()
    for folder in parts.command.python_path:
        if not _is_place(folder) or os.pathsep in folder:
            raise RefusedError(f"The record names a PYTHONPATH that is none: {folder[:80]!r}.")
        there = mirrored(folder, parts.code.root, code, within)
        if there is not None and there not in seen:
            seen.add(there)
            yield there


def cells_place(work: Path) -> Path:
    """Return where a rerun in this folder puts a notebook's cells."""
    return work / "cells.json"


def _cells(parts: Parts, cells: Cells, values: Mapping[int, str], *, ask: bool) -> PlannedCells:
    file = parts.command.cells
    if not isinstance(file, CellsFile):
        raise UsageError("The record is not of a notebook.")
    return plan_cells(cells, file, values, ask=ask)


def _parts(manifest: Manifest) -> Parts:
    execution = manifest.execution
    if execution.world_size > 1:
        raise RefusedError(
            f"The original trained in {execution.world_size} processes together; "
            "only runs of one process can be rerun."
        )
    command, code, packages = execution.command, execution.code, execution.packages
    if isinstance(command, Unavailable):
        raise RefusedError(f"The run does not hold how it was started: {_reason(command)}.")
    if command.kind == "notebook" and not isinstance(command.cells, CellsFile):
        why = command.cells or Unavailable(unavailable="nobody wrote them")
        raise RefusedError(f"The run does not hold the notebook's cells: {_reason(why)}.")
    if isinstance(code, Unavailable):
        raise RefusedError(f"The run does not hold its source tree: {_reason(code)}.")
    if isinstance(code.bundle, Unavailable):
        raise RefusedError(
            f"The run does not hold the bytes of its source tree: {_reason(code.bundle)}."
        )
    if isinstance(packages, Unavailable):
        raise RefusedError(f"The run does not hold its packages: {_reason(packages)}.")
    if not _is_place(code.root):
        raise RefusedError(f"The record's tree was nowhere: {code.root[:80]!r} is no place.")
    return Parts(command, code, packages)


def _reason(missing: Unavailable) -> str:
    return str(missing).rstrip(".")


def _inputs(manifest: Manifest, code: Code, given: Mapping[str, str]) -> Inputs:
    sources = find_sources(manifest, code, given)
    recorded = manifest.description.inputs
    files = () if isinstance(recorded, Unavailable) else recorded
    # What belongs to data was digested with it, and comes with its folder.
    own = [found for found in files if not sources.covers(found.absolute)]
    links = _links_to_data(sources)
    missing: list[str] = []
    for found in own:
        place = _place(found, code)
        if not os.path.exists(found.absolute):  # noqa: PTH110 - False where Path.exists raises
            missing.append(found.absolute)
        elif place is not None:
            links.append(Link(place, found.absolute))
    changed = changed_files(it for it in own if it.absolute not in missing)
    fetched = [one.place for one in sources.named("later") if one.place is not None]
    places = [*(link.place for link in links), *fetched]
    up = max((PurePosixPath(place).parts.count("..") for place in places), default=0)
    if up > _UP_MOST:
        raise RefusedError(f"The original read files {up} folders above its own; that is too far.")
    return Inputs(
        tuple(links),
        (*missing, *(one.told for one in sources.named("missing"))),
        up,
        (*changed, *(one.told for one in sources.named("changed"))),
        sources,
    )


def _links_to_data(sources: Sources) -> list[Link]:
    """Return how data is put where the script expects it; what is there already stays."""
    here = [one for one in sources.found if one.state in ("same", "changed")]
    return [Link(one.place, one.target) for one in here if one.place is not None]


def _place(found: InputFile, code: Code) -> str | None:
    """Return where the script will look for a file, relative to the tree; None for anywhere else.

    An absolute path outside the tree is looked for where it always was.
    """
    if not _is_place(found.absolute):
        raise RefusedError(f"The record names an input that is no path: {found.absolute[:80]!r}.")
    relative = posixpath.relpath(found.absolute, code.root)
    inside = PurePosixPath(relative).parts[:1] != ("..",)
    return relative if inside or not posixpath.isabs(found.path) else None


def _is_place(path: str) -> bool:
    return posixpath.isabs(path) and "\0" not in path


def _code_folder(tree: Path, root: str, up: int) -> Path:
    """Return where the tree is restored: as deep as the script looks up, each folder by its name.

    So ``../data`` is below ``tree``, and ``../me/data`` is found where it was.
    """
    names = PurePosixPath(posixpath.normpath(root)).parts[1:] or ("code",)
    return tree.joinpath(*names[-max(up, 1) :])


def _inside(code: Path, recorded: str) -> Path:
    """Return a recorded path in the restored tree; one outside it stays where it was."""
    if _is_place(recorded):
        return Path(recorded)
    if ".." in PurePosixPath(recorded).parts or "\0" in recorded:
        raise RefusedError(f"The record's path {recorded[:80]!r} leaves its tree.")
    return code / recorded


def _up_to_folder(parts: Parts) -> int:
    """Return how many folders above the tree the way leads to a working directory beside it."""
    recorded = parts.command.working_directory
    if not _is_place(recorded):
        return 0
    up = PurePosixPath(posixpath.relpath(recorded, parts.code.root)).parts.count("..")
    if up > _UP_MOST:
        raise RefusedError(
            f"The original ran in {recorded[:200]}, far outside its source tree.",
            hint="Start it from its source tree, or from a folder near it, and record it again.",
        )
    return up


def _working_folder(parts: Parts, code: Path, within: Path) -> Path:
    """Return where the training starts: where the original did, as the restored tree sees it.

    It is always in the new folder. A record may name any folder of this machine, and what a
    script finds and writes there is somebody's.
    """
    recorded = parts.command.working_directory
    if not _is_place(recorded):
        return _inside(code, recorded)
    there = mirrored(recorded, parts.code.root, code, within)
    if there is None:
        raise RefusedError(f"The record's working directory {recorded[:200]!r} leaves its tree.")
    return there


def _before_arguments(parts: Parts, work: Path, code: Path, cwd: Path) -> tuple[str, ...]:
    """Return what stands between the interpreter and the script's own arguments."""
    command = parts.command
    target = {
        "script": lambda: [_script(parts, code, cwd)],
        "module": lambda: ["-m", _module(command)],
        "code": lambda: ["-c", command.target],
        "console": lambda: [_console(command)],
        "notebook": lambda: ["-m", RUNNER, str(cells_place(work)), command.target],
    }[command.kind]()
    launcher = ["-m", "wandb_repro.launch"] if command.launcher else []
    return (*_flags(command), *launcher, *target)


def _arguments(parts: Parts, code: Path) -> list[str]:
    return [moved(argument, parts.code.root, code) for argument in parts.command.arguments]


def _checked(words: tuple[str, ...]) -> tuple[str, ...]:
    if any("\0" in word for word in words):
        raise RefusedError("The record's command holds a NUL, which no command line can hold.")
    return words


def _console(command: Command) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", command.target):
        raise RefusedError(f"The record names a command that is none: {command.target[:80]!r}.")
    return command.target


def _module(command: Command) -> str:
    if not all(name.isidentifier() for name in command.target.split(".")):
        raise RefusedError(f"The record names a module that is none: {command.target[:80]!r}.")
    return command.target


_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
_FLAG = re.compile(r"-[bBdEIOPRsSuvqx]")


def _flags(command: Command) -> tuple[str, ...]:
    """Return the interpreter's options: none of them names code, or a place to write to."""
    kept: list[str] = []
    words = iter(command.interpreter_flags)
    for word in words:
        if word in _WITH_VALUE:
            value = next(words, "")
            # Where byte code goes changes no bit, and would be outside the new folder.
            if not value.startswith("pycache_prefix"):
                kept += [word, value]
        elif _FLAG.fullmatch(word):
            kept.append(word)
        else:
            raise RefusedError(f"The record starts Python with {word[:80]!r}, which is no option.")
    return tuple(kept)


def _script(parts: Parts, code: Path, cwd: Path) -> str:
    """Return the script as its working directory sees it, as people start theirs."""
    script = _inside(code, parts.command.target)
    if not script.is_relative_to(code):
        raise RefusedError(
            f"The record's script is {str(script)[:200]}, which is not in its source tree.",
            hint="Only what is restored from the record is run.",
        )
    path = os.path.relpath(script, cwd)
    return f"./{path}" if path.startswith("-") else path


def moved(text: str, root: str, code: Path) -> str:
    """Return a path below the original's tree, ``NAME=PATH`` too, moved to the restored one."""
    start = text.find("=") + 1 if not text.startswith("/") else 0
    top, value = root.rstrip("/"), text[start:]
    if top and (value == top or value.startswith(top + "/")):
        return f"{text[:start]}{code}{value[len(top) :]}"
    return text


def _credentials(
    command: Command, values: Mapping[int, str], shift: int, *, ask: bool
) -> dict[int, str]:
    """Return the whole arguments that hold a credential, by their place after ``shift`` words."""
    unknown = sorted(set(values) - set(command.redacted))
    if unknown:
        raise UsageError(f"Argument {unknown[0]} was not cut out of the record; leave it as it is.")
    needed = sorted(set(command.redacted) - set(values))
    if needed and ask:
        named = ", ".join(f"{at} ({command.arguments[at]!r})" for at in needed)
        raise RefusedError(
            f"The record does not hold the credentials among the arguments: {named}.",
            hint=f"Give them, each in the place of {REDACTED}: "
            + " ".join(f"--arg {at}=VALUE" for at in needed),
        )
    return {shift + at: _filled(command.arguments[at], value) for at, value in values.items()}


def _filled(argument: str, value: str) -> str:
    """Return an argument with its credential; one that lost several is given whole."""
    return argument.replace(REDACTED, value) if argument.count(REDACTED) == 1 else value


def _without_dumps(value: str) -> str:
    """Return flags of XLA without those that make it write files, wherever they say."""
    words = value.split(" ")
    return " ".join(word for word in words if not re.match(r"--\w*dump", word))


def _switches(manifest: Manifest, command: Command, threads: int | None) -> dict[str, str]:
    unknown = sorted(set(command.environment) - set(RESTORED))
    if unknown:
        raise RefusedError(
            f"The record wants to set {unknown[0]}, which is no switch of a training.",
            hint="Only names in wandb_repro/manifest/switches.py are set.",
        )
    if any("\0" in value for value in command.environment.values()):
        raise RefusedError("The record's variables hold a NUL, which no variable can hold.")
    runtime = manifest.description.runtime
    switches = {name: _without_dumps(value) for name, value in command.environment.items()}
    if isinstance(runtime, Runtime):
        switches[_THREADS_VARIABLE] = str(runtime.intra_op_threads)
    if threads is not None:
        switches[_THREADS_VARIABLE] = str(threads)
    return switches
