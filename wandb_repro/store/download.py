"""Downloads a capsule: a fixed list of files, bounded in size, checked by digest.

The server is not trusted: its file names are not used, and sizes that it reports are checked again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wandb_repro.errors import ManifestError, NotFoundError, RefusedError
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added
from wandb_repro.manifest.command import MOST_BYTES, CellsFile, Command
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.store.capsule import ADDED, BUNDLE, CELLS, FOLDER, MANIFEST, TRAIL, WHEELS, Capsule
from wandb_repro.store.local import read_manifest
from wandb_repro.store.wandb_api import ApiFile, ApiRun

_MB = 1_000_000
_LIMITS = {
    MANIFEST: 16 * _MB,
    CELLS: MOST_BYTES,
    BUNDLE: 600 * _MB,
    ADDED: 100 * _MB,
    TRAIL: 1000 * _MB,
}
_WHEEL_LIMIT = 60 * _MB
_WHEEL_NAME = re.compile(r"[A-Za-z0-9._+-]+\.whl")
_MAX_WHEELS = 1000
_MAX_UNASKED = 1000


def size_limit(name: str) -> int:
    """Return the most bytes that a part of a capsule may have, by its name or path."""
    return _LIMITS.get(PurePosixPath(name).name, _WHEEL_LIMIT)


def download_capsule(run: ApiRun, scratch: Path, capsule: Capsule, *, code: bool) -> list[str]:
    """Download a run's capsule; return the parts that W&B lacks, though the manifest names them.

    Args:
        run: the run on W&B.
        scratch: an empty folder on the capsule's disk.
        capsule: the destination; existing parts are replaced.
        code: whether to download the source tree and the wheels too.

    Raises:
        NotFoundError: the run holds no manifest of ours.
        RefusedError: a part is too large, or does not match the manifest.
    """
    capsule.folder.mkdir(parents=True, exist_ok=True)
    downloader = Downloader(run, scratch, capsule.folder)
    if downloader.fetch([MANIFEST]):
        raise NotFoundError(
            f"Run {run.entity}/{run.project}/{run.id} was recorded without wandb_repro.",
            hint="Record runs with `wandb_repro.init(...)`, or `wandb-repro run -- CMD`; "
            "what a run did not record cannot be added later.",
        )
    digests = _digests(read_manifest(capsule)) if code else {}
    missing = downloader.fetch([TRAIL, *digests])
    _check_digests(capsule.folder, {n: d for n, d in digests.items() if n not in missing})
    return missing


@dataclass(frozen=True)
class Downloader:
    """Downloads files of one run into one folder."""

    run: ApiRun
    scratch: Path
    folder: Path

    def fetch(self, names: Sequence[str]) -> list[str]:
        """Download files, named as in the capsule; return the names that the run lacks.

        Raises:
            RefusedError: a file is larger than its limit, as W&B reports it or in fact.
        """
        files = dict(self._list(names))
        for name, file in files.items():
            _check_size(name, file.size)
        for name, file in files.items():
            self._download(name, file)
        return [name for name in names if name not in files]

    def _list(self, names: Sequence[str]) -> Iterator[tuple[str, ApiFile]]:
        for file in files_of(self.run, [f"{FOLDER}/{name}" for name in names]):
            yield file.name.removeprefix(f"{FOLDER}/"), file

    def _download(self, name: str, file: ApiFile) -> None:
        with closing(file.download(root=str(self.scratch), replace=True)):
            downloaded = self.scratch / FOLDER / name
        _check_size(name, downloaded.stat().st_size)
        target = self.folder / name
        target.parent.mkdir(exist_ok=True)
        downloaded.replace(target)


def files_of(run: ApiRun, names: list[str]) -> Iterator[ApiFile]:
    """Yield the named files that the run has."""
    # Bounded: a server may return more than was requested, for ever.
    for file in itertools.islice(run.files(names=names, per_page=100), len(names) + _MAX_UNASKED):
        # NOTE: for a missing file W&B may return an entry of md5 "0".
        # Source: wandb 0.31, wandb_run.restore.
        if file.name in names and file.md5 != "0":
            yield file


def _check_size(name: str, size_bytes: int) -> None:
    if size_bytes > size_limit(name):
        raise RefusedError(
            f"{FOLDER}/{name} of this run has {size_bytes / _MB:,.0f} MB, "
            f"more than the {size_limit(name) / _MB:,.0f} MB that we take.",
            hint="wandb_repro does not write such a file; look at the run's files on W&B.",
        )


def _digests(manifest: Manifest) -> dict[str, str]:
    """Return the SHA-256 of each part that the manifest names, by its name in the capsule."""
    parts: dict[str, str] = {}
    code = manifest.execution.code
    if not isinstance(code, Unavailable) and not isinstance(code.bundle, Unavailable):
        parts[BUNDLE] = code.bundle.sha256
        parts.update(_added(code.added))
    command = manifest.execution.command
    cells = command.cells if isinstance(command, Command) else None
    if isinstance(cells, CellsFile) and cells.kept == "run":
        parts[CELLS] = cells.sha256
    packages = manifest.execution.packages
    distributions = () if isinstance(packages, Unavailable) else packages.distributions
    for position, distribution in enumerate(distributions):
        wheel = distribution.repacked
        if wheel is not None and not isinstance(wheel, Unavailable):
            parts[f"{WHEELS}/{_safe(wheel.name, position)}"] = wheel.sha256
    if len(parts) > _MAX_WHEELS:
        raise ManifestError(f"The manifest names more than {_MAX_WHEELS} wheels.")
    return parts


def _added(added: Added | Unavailable) -> dict[str, str]:
    if isinstance(added, Unavailable) or isinstance(added.bundle, Unavailable):
        return {}
    return {ADDED: added.bundle.sha256} if added.bundle.kept == "run" else {}


def _safe(wheel: str, position: int) -> str:
    if not _WHEEL_NAME.fullmatch(wheel):
        raise ManifestError(
            f"The manifest names a wheel {wheel!r}, which is not the name of a wheel.",
            where=f"execution.packages.distributions.{position}.repacked.name",
        )
    return wheel


def _check_digests(folder: Path, digests: dict[str, str]) -> None:
    for name, sha256 in digests.items():
        path = folder / name
        if sha256_of_file(path) != sha256:
            path.unlink()
            raise RefusedError(
                f"{FOLDER}/{name} of this run does not match its manifest.",
                hint="It was cut off or changed on W&B after it was recorded.",
            )
