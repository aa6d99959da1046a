"""Rebuilds the environment and compares it with the original before anything in it starts."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from wandb_repro.capture.packages.distributions import read_distributions
from wandb_repro.errors import DiskFullError, RebuildError
from wandb_repro.manifest.packages import Interpreter, Packages
from wandb_repro.rerun.environment.compare import Inequality, compare_environments, python_of
from wandb_repro.rerun.environment.interpreter import FoundPython, find_python
from wandb_repro.rerun.environment.lock import resolve_lock
from wandb_repro.rerun.environment.lockfile import Lock
from wandb_repro.rerun.environment.unmet_requirements import unmet_requirements
from wandb_repro.rerun.environment.uv import Answer, refuse_unreachable, run_uv

_AN_HOUR_S = 3600
_SYNC = (
    *("pip", "sync", "--no-build", "--require-hashes", "--no-compile-bytecode"),
    "--allow-empty-requirements",
)


@dataclass(frozen=True)
class Rebuilt:
    """A new environment in which nothing has been started yet."""

    python: Path
    """Its interpreter. Starting it runs the ``.pth`` files of what was installed."""
    inequalities: tuple[Inequality, ...] = ()
    """Distributions that differ from the original's."""
    notes: tuple[str, ...] = ()
    """Other possible differences, one sentence each."""


def rebuild(
    packages: Packages,
    wheels: Path,
    destination: Path,
    *,
    python: Path | None = None,
    on_progress: Callable[[str], None],
) -> Rebuilt:
    """Return a new virtual environment with the recorded distributions.

    Nothing is built from source and nothing that is installed is started.

    Args:
        packages: what was recorded.
        wheels: folder of the capsule's wheels.
        destination: folder of the new environment; it must not exist yet, or be empty.
        python: interpreter to use instead of one of the recorded version.
        on_progress: called with a few words for each step.

    Raises:
        RebuildError: the interpreter or a package is not available, an index cannot be reached, a
            wheel does not match its hash, or uv is not installed.
    """
    if destination.exists() and any(destination.iterdir()):
        raise RebuildError(f"{destination} is not empty.", hint="Name a new folder.")
    base = find_python(packages.interpreter, python)
    on_progress(f"Finding {len(packages.distributions)} packages for Python {base.version}")
    version = base.version if base.version != packages.interpreter.version else ""
    lock = resolve_lock(packages, wheels, python=base.path, version=version)
    on_progress(f"Installing {len(lock.packages)} packages")
    with _complete_or_absent(destination) as unfinished:
        _install(lock, base, unfinished)
    on_progress("Comparing the new environment with the original")
    installed = site_packages(destination)
    notes = notes_on(packages.interpreter, base)
    unmet = unmet_requirements(installed, packages.interpreter, base) if notes else ()
    return Rebuilt(
        python=destination / "bin" / "python",
        inequalities=compare_environments(packages, read_distributions(installed)),
        notes=(*notes, *unmet, *lock.notes),
    )


@contextmanager
def _complete_or_absent(destination: Path) -> Generator[Path]:
    """Yield a folder to fill, which becomes ``destination`` on success."""
    # A rename is one step: even after a kill the destination is complete if it exists.
    unfinished = destination.with_name(f".{destination.name}-{secrets.token_hex(4)}")
    try:
        yield unfinished
        unfinished.rename(destination)
    except DiskFullError as error:
        raise DiskFullError(destination, error.why) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _install(lock: Lock, base: FoundPython, destination: Path) -> None:
    new = ["venv", "--no-project", "--relocatable", "--python", str(base.path)]
    answer = run_uv([*new, str(destination.absolute())])
    _check_success(answer, "The virtual environment could not be made", destination)
    python = str(destination.absolute() / "bin" / "python")
    answer = _sync(lock, python, by_address=False)
    if "Hash mismatch" in answer.errors:
        # The index publishes no hashes: uv took the best fitting wheel and ignored the lock.
        answer = _sync(lock, python, by_address=True)
    _check_success(answer, "The packages could not be installed", destination)


def _sync(lock: Lock, python: str, *, by_address: bool) -> Answer:
    # NOTE: uv caches the wheels of a pylock.toml separately and would download all of them again;
    # for requirements with hashes it uses the wheels in the user's cache.
    with TemporaryDirectory(prefix="wandb-repro-lock-") as folder:
        path = Path(folder, "requirements.txt")
        text = lock.requirements(lock.wheels.resolve().as_uri(), by_address=by_address)
        path.write_text(text, encoding="utf-8")
        sync = [*_SYNC, "--python", python, str(path)]
        answer = run_uv([*sync, "--offline"], timeout_s=_AN_HOUR_S)
        if answer.returncode:
            answer = run_uv(sync, timeout_s=_AN_HOUR_S)
    return answer


_DISK_FULL = re.compile(r"(No space left on device|Disk quota exceeded|os error (?:28|122)\b)")


def _check_success(answer: Answer, otherwise: str, destination: Path) -> None:
    if answer.returncode == 0:
        return
    if full := _DISK_FULL.search(answer.errors):
        raise DiskFullError(destination, full[0])
    if "Hash mismatch" in answer.errors:
        raise RebuildError(
            f"The index has other bytes under the same name: {answer.sentence}.",
            hint="Do not install them; ask who runs the index.",
        )
    refuse_unreachable(answer)
    raise RebuildError(f"{otherwise}: {answer.sentence}.")


def site_packages(environment: Path) -> Path:
    """Return the folder of a virtual environment's packages."""
    return next(iter(environment.glob("lib/python*/site-packages")), environment)


def notes_on(wanted: Interpreter, base: FoundPython) -> tuple[str, ...]:
    """Return how the interpreter differs from the recorded one: one sentence, or none."""
    if (base.version, base.implementation) != (wanted.version, wanted.implementation):
        return (f"Python {base.version} stands in for the recorded {python_of(wanted)}.",)
    if base.build != wanted.build:
        return (
            f"Python {base.version} is another build: {base.build} here, {wanted.build} there.",
        )
    return ()
