"""Selects the environment of a training: the current one, a named one, or a new one."""

from __future__ import annotations

import importlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.installed import installed_packages
from wandb_repro.errors import RebuildError, RefusedError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Packages, Repacked
from wandb_repro.rerun.environment.compare import Inequality, matches_here
from wandb_repro.rerun.environment.dependencies import Needed, needed_by_run
from wandb_repro.rerun.environment.interpreter import FoundPython, find_python
from wandb_repro.rerun.environment.lockfile import extra_missing
from wandb_repro.rerun.environment.provide import is_cached
from wandb_repro.rerun.environment.uv import find_uv
from wandb_repro.rerun.environment.wheel_check import wheel_of_capsule


@dataclass(frozen=True)
class Choice:
    """The environment that the training will run in."""

    python: Path | None
    """Its interpreter; None if it is to be rebuilt."""
    reason: str
    inequalities: tuple[Inequality, ...] = ()
    """Distributions that are known to differ from the original's."""
    base: FoundPython | None = None
    """The interpreter to rebuild with; None if it is not rebuilt."""
    needed: Needed | None = None
    """What will be rebuilt; None if it is not rebuilt."""

    @property
    def ignores_python_path(self) -> bool:
        """Whether the current PYTHONPATH is ignored: it is rebuilt, or was read with ``-I``."""
        return self.python is None or bool(sys.flags.isolated)


def choose(
    packages: Packages,
    wheels: Path,
    environment: str,
    base_python: Path | None,
    *,
    use_cache: bool = True,
    everything: bool = False,
) -> Choice:
    """Return the environment to use. What a rebuild needs is checked; nothing is built yet.

    Args:
        packages: what was recorded.
        wheels: folder of the capsule's wheels.
        environment: ``auto``, ``here``, ``rebuild``, or an interpreter.
        base_python: interpreter to rebuild with instead of one of the recorded version.
        use_cache: whether an environment that an earlier rerun built may be used.
        everything: also rebuild what the run did not load.

    Raises:
        RebuildError: it has to be rebuilt, and something that this needs is missing.
        UsageError: there is no such interpreter, or the two options contradict each other.
    """
    needed = Needed(packages) if everything else _needed_if_known(packages)
    if environment in ("auto", "rebuild"):
        reason = _reason_to_rebuild(packages, needed, environment, base_python)
        if not reason:
            here = Path(sys.executable)
            return Choice(here, "the current one: its record equals the original's")
        base = find_python(packages.interpreter, base_python)
        if use_cache and is_cached(needed.packages, base):
            reason = f"{reason}; built by an earlier rerun and kept"
            return Choice(None, reason, base=base, needed=needed)
        check_rebuildable(needed.packages, wheels, base_python)
        return Choice(None, reason, base=base, needed=needed)
    if base_python is not None:
        raise UsageError(
            "--python is the interpreter to rebuild with, and --env says not to rebuild.",
            hint="Leave one of them out.",
        )
    if environment == "here":
        return _here(packages, needed)
    return Choice(_interpreter(environment), f"that of {environment}")


def _reason_to_rebuild(
    packages: Packages, needed: Needed, environment: str, base_python: Path | None
) -> str:
    """Return why the current environment is not used; empty if it is."""
    if environment == "rebuild" or base_python is not None:
        return "a new one, as requested"
    unequal = _unequal_here(packages, needed)
    return f"a new one, since here {_what_differs(unequal)}" if unequal else ""


def _unequal_here(packages: Packages, needed: Needed) -> tuple[Inequality, ...]:
    """Return the differences here; packages that the run did not need may be missing."""
    unequal = matches_here(packages, _current_environment())
    return tuple(
        each for each in unequal if each.what != "missing" or each.name not in needed.left_out
    )


def _here(packages: Packages, needed: Needed) -> Choice:
    unequal = _unequal_here(packages, needed)
    certainty = "not the original's" if _is_certain(unequal) else "not known to be the original's"
    differs = f"{certainty}, since here {_what_differs(unequal)}"
    answer = differs if unequal else "its record equals the original's"
    return Choice(Path(sys.executable), f"the current one, as requested: {answer}", unequal)


def _needed_if_known(packages: Packages) -> Needed:
    """Return what is needed; everything if the library that reads requirements is missing."""
    try:
        return needed_by_run(packages)
    except RebuildError:
        return Needed(packages)


def _is_certain(unequal: tuple[Inequality, ...]) -> bool:
    """Tell whether anything is known to differ: files without a record are unknown."""
    return any(difference.what != "unknown" for difference in unequal)


def _what_differs(unequal: tuple[Inequality, ...]) -> str:
    ordered = sorted(unequal, key=lambda difference: difference.what == "unknown")
    names = ", ".join(difference.name for difference in ordered[:3])
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    verb = "is" if len(ordered) == 1 else "are"
    return f"{names}{more} {f'{verb} different' if _is_certain(unequal) else 'cannot be compared'}"


def _current_environment() -> Packages:
    """Return the installed packages, with editable installs as they would be packed."""
    packages = installed_packages(Host())
    if isinstance(packages, Unavailable):
        raise RefusedError(f"The current environment cannot be read: {packages}.")
    return packages


def _interpreter(name: str) -> Path:
    path = shutil.which(name)
    if path is None:
        raise UsageError(
            f"There is no interpreter {name}.",
            hint="--env takes auto, here, rebuild, or the path of a Python.",
        )
    return Path(path).absolute()


def check_rebuildable(packages: Packages, wheels: Path, python: Path | None) -> FoundPython:
    """Return the interpreter to rebuild an environment with; nothing of the run is started.

    Raises:
        RebuildError: uv, the interpreter, or a wheel of the capsule is missing.
    """
    find_uv()
    try:
        importlib.import_module("packaging.pylock")
    except ImportError as error:
        raise extra_missing("packaging 26") from error
    for package in packages.distributions:
        if isinstance(package.repacked, Repacked):
            wheel_of_capsule(package, package.repacked, wheels)
    return find_python(packages.interpreter, python)
