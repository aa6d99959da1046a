"""Restores what the plan says, starts the training, and waits for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.request import REQUEST_VARIABLE, RerunRequest, Whereabouts
from wandb_repro.manifest.switches import RESTORED
from wandb_repro.process_group import signal_group
from wandb_repro.rerun.path_map import moved
from wandb_repro.rerun.plan import Plan
from wandb_repro.rerun.planned_inputs import Link
from wandb_repro.rerun.restore import restore
from wandb_repro.rerun.restore_extra import adds_below, restore_added

_DROPPED = (
    *RESTORED,
    "WANDB_SERVICE",
    "_WANDB_SERVICE",
    "WANDB_RUN_ID",
    "WANDB_RESUME",
    "WANDB_RESUME_FROM",
    "WANDB_FORK_FROM",
    "WANDB_NAME",
    "WANDB_SWEEP_ID",
    "WANDB_SWEEP_PARAM_PATH",
    "WANDB_DISABLED",
    "WANDB_REPRO_OPTIONS",
    "WANDB_DISABLE_CODE",
    "WANDB_DISABLE_GIT",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
)
"""Variables of the person who reruns that must not reach the training: a switch of today, or an
identity of another run."""

_KEPT_OF_PYTHON = frozenset(
    {
        *("PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONFAULTHANDLER"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONNOUSERSITE"),
    }
)
"""The rest (``PYTHONHOME``, ``PYTHONOPTIMIZE``, ``PYTHONSAFEPATH``, ...) is about what is imported
or executed, and the original ran without it."""

_NOT_OF_A_REBUILT = "PYTHONDONTWRITEBYTECODE"
"""Images of containers set it, to stay small. A new environment has nothing compiled yet, and is
ours: with it, every start of a rerun would compile the whole framework once more (10 s for
TensorFlow on 2 cores)."""

_COPIED_BYTES = 1 << 30
_GRACE_S = 30
_HEARING_S = 1.0
STANDARD_ERROR = 2


@dataclass(frozen=True)
class Child:
    """How the training's process ended."""

    returncode: int
    whereabouts: Whereabouts | None
    """None when the script never began to record."""


def restore_code(plan: Plan, bundle: Path, added: Path) -> None:
    """Restore the tree in its new folder and check that it is the recorded one.

    Args:
        plan: says where.
        bundle: of the tree.
        added: bundle of what the original used beside it.

    Raises:
        CodeError: it cannot be, or is not.
        RefusedError: the record wants a file of the original's outside the new folder.
    """
    plan.code.parent.mkdir(parents=True, exist_ok=True)
    restore(bundle, plan.parts.code, plan.code)
    restore_added(
        added, plan.parts.code, plan.code, within=plan.tree_folder, scratch=plan.work / "added"
    )
    place_inputs(plan.code, plan.inputs.links, within=plan.tree_folder)
    _make_working_folder(plan)


def _make_working_folder(plan: Plan) -> None:
    """Make the folder to start in, where nothing that was restored lies in it."""
    try:
        plan.cwd.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(f"{plan.cwd} cannot be made: {error.strerror}.") from error
    if not plan.cwd.resolve().is_relative_to(plan.tree_folder.resolve()):
        raise RefusedError(f"The record's working directory leaves its tree: {plan.cwd}.")


def place_inputs(
    code: Path, links: tuple[Link, ...], *, within: Path, copied_bytes: int = _COPIED_BYTES
) -> None:
    """Put files that lie outside the snapshot where the script will look for them.

    They are copied, since a script may write to what it has read and the original's files stay
    as they are; what is beyond ``copied_bytes`` in all is linked.

    Raises:
        RefusedError: a place lies outside ``within``, or a file of the tree is in the way.
    """
    left_bytes = copied_bytes
    for link in links:
        place = Path(os.path.normpath(code / link.place))
        if not place.parent.resolve().is_relative_to(within.resolve()):
            raise RefusedError(f"The record puts {link.target} outside the new folder: {place}.")
        if os.path.lexists(place):
            continue
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            left_bytes -= _placed(Path(link.target), place, left_bytes)
        except OSError as error:
            raise RefusedError(
                f"{link.target} cannot be put at {place}: {error.strerror}."
            ) from error


def _placed(target: Path, place: Path, left_bytes: int) -> int:
    """Copy a file, or link it when it is larger than what is left; return what was copied."""
    size_bytes = target.stat().st_size
    if not target.is_file() or size_bytes > left_bytes:
        place.symlink_to(target)
        return 0
    shutil.copy2(target, place)
    return size_bytes


def child_environment(
    plan: Plan, python: Path, request: Path, mine: Mapping[str, str], *, rebuilt: bool
) -> dict[str, str]:
    """Return the training's environment variables: today's, with the recorded switches."""
    kept = {name: value for name, value in mine.items() if _is_kept(name)}
    if rebuilt:
        kept.pop(_NOT_OF_A_REBUILT, None)
    return {
        **kept,
        **variables_set(plan, mine, rebuilt=rebuilt),
        "PATH": os.pathsep.join([str(python.parent), kept.get("PATH", os.defpath)]),
        REQUEST_VARIABLE: str(request),
    }


def variables_set(plan: Plan, mine: Mapping[str, str], *, rebuilt: bool) -> dict[str, str]:
    """Return the variables that are not as they are today, for the person who must agree.

    ``PATH`` besides has the interpreter's folder before all others.
    """
    return {
        **({} if "WANDB_PROJECT" in mine else _project(plan)),
        **plan.switches,
        **_mode(plan, mine),
        **_python_path(plan, mine, rebuilt=rebuilt),
        "WANDB_DIR": str(plan.work),
        "WANDB_JOB_TYPE": "rerun",
    }


def _is_kept(name: str) -> bool:
    if name.startswith("PYTHON"):
        return name in _KEPT_OF_PYTHON
    return name not in _DROPPED


def _project(plan: Plan) -> dict[str, str]:
    """Return the original's project: the original may have had it from its environment."""
    project = plan.manifest.run.project
    return {"WANDB_PROJECT": project} if isinstance(project, str) else {}


def _mode(plan: Plan, mine: Mapping[str, str]) -> dict[str, str]:
    """Return how W&B works in the rerun: it must record, and online only if asked."""
    told = mine.get("WANDB_MODE", "")
    if mine.get("WANDB_DISABLED") or told == "disabled" or (plan.manifest.run.offline and not told):
        return {"WANDB_MODE": "offline"}
    return {}


def _python_path(plan: Plan, mine: Mapping[str, str], *, rebuilt: bool) -> dict[str, str]:
    """Return the recorded PYTHONPATH, as far as its folders are restored, and then today's.

    Of today's, folders of the original's tree are moved to the restored one, and those that are
    restored beside it left out. Beside a rebuilt environment other absolute folders are left out
    too: what they hold is not what was recorded.
    """
    kept = [str(folder) for folder in plan.python_path]
    today = [it for it in mine.get("PYTHONPATH", "").split(os.pathsep) if it]
    for folder in (it for it in today if not _is_restored(it, plan)):
        there = moved(folder, plan.parts.code.root, plan.code)
        if there != folder or not rebuilt or not Path(folder).is_absolute():
            kept.append(there)
    return {"PYTHONPATH": os.pathsep.join(kept)} if kept else {}


def _is_restored(folder: str, plan: Plan) -> bool:
    """Tell whether the original had this folder on its path, and the new folder has it too.

    A cluster's modules name folders of packages there, of which nothing is restored.
    """
    code = plan.parts.code
    in_tree = moved(folder, code.root, plan.code) != folder
    return folder in plan.parts.command.python_path and (in_tree or adds_below(code, folder))


def train(
    plan: Plan,
    python: Path,
    request: RerunRequest,
    *,
    rebuilt: bool,
    output: int = STANDARD_ERROR,
) -> Child:
    """Start the training and wait for its end.

    Args:
        plan: what is started, and where.
        python: interpreter of the environment.
        request: tells the process that it is a rerun, and of which run.
        rebuilt: whether the environment was built anew.
        output: file descriptor that gets what the training prints.

    Raises:
        KeyboardInterrupt: Ctrl-C; the training was asked to end and has ended.
        RefusedError: the process could not be started.
    """
    _write_cells(plan)
    path = plan.work / "order.json"
    path.write_text(request.model_dump_json(exclude_defaults=True), encoding="utf-8")
    environment = child_environment(plan, python, path, os.environ, rebuilt=rebuilt)
    try:
        process = subprocess.Popen(
            plan.started_with(python),
            cwd=plan.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise RefusedError(f"The training cannot be started: {error}.") from error
    with _ended_with_us(process):
        returncode = _ended(process)
    if plan.cells is not None and plan.cells.values:
        plan.cells_file.unlink()  # it holds credentials
    return Child(returncode, _whereabouts(Path(request.whereabouts)))


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process, and hear of a Ctrl-C meanwhile.

    The system may hand a signal to any thread; only this one can raise it, once it runs again.
    """
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_HEARING_S)


def _write_cells(plan: Plan) -> None:
    """Put a notebook's cells where they are executed from; nobody else may read them there."""
    if plan.cells is not None:
        plan.cells_file.touch(mode=0o600, exist_ok=False)
        plan.cells_file.write_bytes(plan.cells.filled().to_bytes())


@contextlib.contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Generator[None]:
    """Let a Ctrl-C reach the training, so that it closes its run, and then end it."""
    try:
        yield
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the training to end and wait a while; a second Ctrl-C ends it at once."""
    try:
        signal_group(process, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    finally:
        if process.poll() is None:
            signal_group(process, signal.SIGKILL)
            process.wait()


def _whereabouts(path: Path) -> Whereabouts | None:
    try:
        return Whereabouts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
