"""A run as a folder of plain files: code, capsule, lock, and a script that needs only those.

All its paths are relative, so that it can be moved or copied to another machine.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from wandb_repro.capture.packages.distributions import read_distributions
from wandb_repro.manifest.command import CellsFile
from wandb_repro.manifest.packages import Packages, Repacked
from wandb_repro.rerun.environment.build import Rebuilt, site_packages
from wandb_repro.rerun.environment.compare import compare_environments
from wandb_repro.rerun.environment.interpreter import FoundPython
from wandb_repro.rerun.environment.lock import resolve_lock
from wandb_repro.rerun.environment.provide import Say, Wanted, provide
from wandb_repro.rerun.environment.wheel_check import wheel_of_capsule
from wandb_repro.rerun.parts import Parts
from wandb_repro.rerun.restore import restore
from wandb_repro.rerun.restore_extra import added_of
from wandb_repro.store.capsule import CHANGES, FOLDER, MANIFEST, REPORT, TRAIL, Capsule
from wandb_repro.store.cells import read_cells

_COPIED_BYTES = 4 << 30
"""Of a file of the capsule: as large as a trail may be."""

_SCRIPT = "rerun.sh"
_ENVIRONMENT = "env"
"""The script uses the same name."""


@dataclass(frozen=True)
class Exported:
    """A folder that a run is exported to."""

    folder: Path

    @property
    def capsule(self) -> Capsule:
        """The copy of the capsule."""
        return Capsule(self.folder / FOLDER)

    @property
    def script(self) -> Path:
        """The script that reruns it. Written last: if it exists, the export is complete."""
        return self.folder / _SCRIPT

    @property
    def environment(self) -> Path:
        """The environment, once it is prepared."""
        return self.folder / _ENVIRONMENT

    def holds(self, capsule: Capsule) -> bool:
        """Tell whether this run was exported to this folder."""
        copy = self.capsule.manifest
        is_filled = self.script.is_file() and copy.is_file()
        return is_filled and copy.read_bytes() == capsule.manifest.read_bytes()

    def write(
        self,
        capsule: Capsule,
        bundles: tuple[Path, Path],
        parts: Parts,
        base: FoundPython,
        say: Say,
    ) -> None:
        """Fill the folder, which must exist and be empty, with a lock for the interpreter ``base``.

        ``bundles`` are the paths of the bundles of the source tree and of the added files, if any.
        Both may be outside the capsule.

        Raises:
            ReproError: the code or a package is not available; part of the folder is written then.
        """
        say(f"Restoring tree {parts.code.tree[:12]}")
        restore(bundles[0], parts.code, self.folder / "code")
        self._copy_capsule(capsule, bundles, parts)
        self._write_lock(parts.packages, base, say)
        self._write_script(base)

    def prepare(
        self, packages: Packages, base: FoundPython, say: Say, *, use_cache: bool = True
    ) -> Rebuilt:
        """Build the environment in the folder, or compare the existing one with the original.

        Raises:
            RebuildError: it cannot be built; nothing is left then.
        """
        if self.environment.exists():
            say("Comparing the existing environment with the original")
            copy = read_distributions(site_packages(self.environment))
            python = self.environment / "bin" / "python"
            return Rebuilt(python, compare_environments(packages, copy))
        wanted = Wanted(packages, self.capsule.wheels, base)
        return provide(wanted, self.environment, say, use_cache=use_cache).built

    def _copy_capsule(self, capsule: Capsule, bundles: tuple[Path, Path], parts: Parts) -> None:
        """Copy the files of a capsule, no others, and the recorded wheels; follow no links."""
        copy = self.capsule
        copy.wheels.mkdir(parents=True)
        for name in (MANIFEST, TRAIL, CHANGES, REPORT):
            path = capsule.folder / name
            is_small = path.is_file() and path.stat().st_size <= _COPIED_BYTES
            if is_small and not path.is_symlink():
                shutil.copyfile(path, copy.folder / name)
        shutil.copyfile(bundles[0], copy.bundle)
        if added_of(parts.code) is not None:
            shutil.copyfile(bundles[1], copy.added)
        if isinstance(parts.command.cells, CellsFile):
            copy.cells.write_bytes(read_cells(capsule, parts.command.cells).to_bytes())
        for package in parts.packages.distributions:
            if isinstance(package.repacked, Repacked):
                wheel = wheel_of_capsule(package, package.repacked, capsule.wheels).wheels[0].name
                shutil.copyfile(capsule.wheels / wheel, copy.wheels / wheel)

    def _write_lock(self, packages: Packages, base: FoundPython, say: Say) -> None:
        say(f"Locking {len(packages.distributions)} packages for Python {base.version}")
        version = base.version if base.version != packages.interpreter.version else ""
        resolved = resolve_lock(packages, self.capsule.wheels, python=base.path, version=version)
        lock = replace(resolved, python_version=base.version)
        lock.write_pylock(self.folder / "pylock.toml")
        lock.write_requirements(self.folder / "requirements.txt")
        for note in lock.notes:
            say(note)

    def _write_script(self, base: FoundPython) -> None:
        text = Path(__file__).with_name(_SCRIPT).read_text(encoding="utf-8")
        text = text.replace("@CAPSULE@", FOLDER).replace("@PYTHON@", base.version)
        self.script.write_text(text, encoding="utf-8")
        self.script.chmod(0o755)
