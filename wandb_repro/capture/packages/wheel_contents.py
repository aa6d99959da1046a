"""The files of an installed distribution, converted for a wheel."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from wandb_repro.capture.packages.editable import Importable, importable_files
from wandb_repro.capture.packages.record import is_by_installer, record_paths
from wandb_repro.capture.packages.wheel import WheelFile
from wandb_repro.capture.secrets.scan import secret_in_name, secret_in_text
from wandb_repro.manifest.packages import Distribution

_PREFIX = "../../../"
"""From ``PREFIX/lib/pythonX.Y/site-packages`` to ``PREFIX``, where scripts and data are."""


_SHEBANG = re.compile(rb"\A#!(/bin/sh\n'''exec' [^\n]*\n' '''|[^\n]*python[^\n]*)\n")
"""What installers write instead of ``#!python``; the first form if the interpreter's path is too
long for the kernel."""


def secret_files(files: Mapping[str, WheelFile], dist_info: str) -> tuple[str, ...]:
    """Return the paths of files that look like secrets, sorted, except metadata."""
    return tuple(
        name
        for name, file in sorted(files.items())
        if not name.startswith(f"{dist_info}/")
        and (secret_in_name(name.encode()) or secret_in_text(file.content, name.encode()))
    )


def paths_to_pack(distribution: importlib.metadata.Distribution, *, editable: bool) -> Importable:
    """Return the files to pack, by path in RECORD; for an editable install, by path in the wheel.

    Raises:
        OSError: a source folder cannot be read.
        ValueError: RECORD is not CSV.
        SyntaxError: an import hook is not Python.
    """
    scripts = {point.name for point in distribution.entry_points}
    listed = {
        name: Path(str(distribution.locate_file(name)))
        for name in record_paths(distribution.read_text("RECORD") or "")
        if _is_packed(name, scripts)
    }
    if not editable:
        return Importable(listed, ())
    sources, left_out = importable_files(distribution)
    metadata = {name: path for name, path in listed.items() if ".dist-info/" in name}
    return Importable(metadata | sources if sources else {}, left_out)


def _is_packed(name: str, entry_points: set[str]) -> bool:
    folder, _, base = name.rpartition("/")
    made_from_entry_point = folder.endswith("../bin") and base in entry_points
    made = is_by_installer(name) or made_from_entry_point
    return not (made or name.endswith(".pyc") or _is_outside(name))


def _is_outside(name: str) -> bool:
    """Return whether a path is outside the environment, where no wheel can install files."""
    inside = name.removeprefix(_PREFIX)
    return inside.startswith(("/", "../"))


def path_in_wheel(name: str, dist_info: str) -> str:
    """Return the path in the wheel of a file that RECORD names.

    ``../../../bin/tool`` becomes ``NAME-VERSION.data/scripts/tool``.

    Source: Binary distribution format (PyPA), "The .data directory".
    """
    if not name.startswith(_PREFIX):
        return name
    data = dist_info.removesuffix(".dist-info") + ".data"
    under = name.removeprefix(_PREFIX)
    return f"{data}/scripts/{under[4:]}" if under.startswith("bin/") else f"{data}/data/{under}"


def read_file(name: str, path: Path) -> WheelFile:
    """Return a file for the wheel; in a script ``#!python`` is restored."""
    content = path.read_bytes()
    if name.startswith(f"{_PREFIX}bin/"):
        content = _SHEBANG.sub(b"#!python\n", content)
    return WheelFile(content, executable=os.access(path, os.X_OK))


def dist_info_name(record: Distribution, paths: Iterable[str]) -> str:
    """Return the name of the ``.dist-info`` folder."""
    listed = (name.split("/")[0] for name in paths if re.match(r"[^/]+\.dist-info/", name))
    name = f"{record.name.replace('-', '_')}-{record.version.replace('-', '_')}"
    return next(listed, f"{name}.dist-info")


def made_metadata(
    distribution: importlib.metadata.Distribution, record: Distribution, dist_info: str
) -> dict[str, WheelFile]:
    """Return the files of a ``.dist-info``, made from an ``.egg-info``.

    If RECORD lists a file of the same path, that file is packed instead.
    """
    tags = "".join(f"Tag: {tag}\n" for tag in record.tags or ("py3-none-any",))
    texts = {
        "METADATA": distribution.read_text("METADATA") or distribution.read_text("PKG-INFO"),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: wandb-repro\nRoot-Is-Purelib: true\n{tags}",
        "entry_points.txt": distribution.read_text("entry_points.txt"),
        "top_level.txt": distribution.read_text("top_level.txt"),
    }
    return {f"{dist_info}/{name}": WheelFile(text.encode()) for name, text in texts.items() if text}
