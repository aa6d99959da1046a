"""Writes wheels reproducibly: the same files make the same bytes.

Source: Binary distribution format (PyPA), "File contents" and "The .dist-info directory".
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.capture.packages.record import record_digest_of, record_hash
from wandb_repro.files import sha256_of_bytes
from wandb_repro.manifest.packages import Repacked

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip archive can hold."""


@dataclass(frozen=True)
class WheelFile:
    """One file of a wheel."""

    content: bytes
    executable: bool = False

    @property
    def digest(self) -> str:
        """Hash as RECORD writes it."""
        return f"sha256={record_hash(sha256_of_bytes(self.content))}"


def wheel_name(name: str, version: str, tags: Iterable[str]) -> str:
    """Return the file name of a wheel.

    Args:
        name: normalised.
        version: as in METADATA.
        tags: each ``python-abi-platform``; none means ``py3-none-any``.
    """
    known = [tag.split("-") for tag in tags if re.fullmatch(r"\w+-\w+-\w+", tag)]
    parts = known or [["py3", "none", "any"]]
    columns = [sorted(set(column)) for column in zip(*parts, strict=True)]
    if len(parts) != len(list(itertools.product(*columns))):
        columns = [[part] for part in parts[0]]  # no compressed set of tags means exactly these
    compressed = "-".join(".".join(column) for column in columns)
    return f"{name.replace('-', '_')}-{version.replace('-', '_')}-{compressed}.whl"


def write_wheel(
    path: Path, files: Mapping[str, WheelFile], dist_info: str, left_out: Iterable[str] = ()
) -> Repacked:
    """Write a wheel and return its record, with the digest of RECORD once installed.

    Args:
        path: of the wheel, named by ``wheel_name``.
        files: by path inside the wheel, RECORD excluded.
        dist_info: name of the ``.dist-info`` folder, which gets RECORD.
        left_out: files that are not in the wheel, for the record.
    """
    ordered = dict(sorted(files.items()))
    record = _record(ordered, f"{dist_info}/RECORD")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, file in ordered.items():
            archive.writestr(_member(name, executable=file.executable), file.content)
        archive.writestr(_member(f"{dist_info}/RECORD"), record)
    content = path.read_bytes()
    return Repacked(
        name=path.name,
        sha256=sha256_of_bytes(content),
        record_digest=record_digest_of(_installed_part(record)),
        size_bytes=len(content),
        left_out=tuple(left_out),
    )


def _record(files: Mapping[str, WheelFile], own_path: str) -> str:
    rows = [f"{_quoted(path)},{file.digest},{len(file.content)}" for path, file in files.items()]
    return "\n".join([*rows, f"{own_path},,", ""])


def _quoted(path: str) -> str:
    return '"' + path.replace('"', '""') + '"' if "," in path or '"' in path else path


def _installed_part(record: str) -> str:
    # Files in "NAME-VERSION.data/" are installed outside site-packages.
    rows = record.splitlines()
    return "\n".join(row for row in rows if not re.match(r'"?[^/,]+\.data/', row))


def _member(name: str, *, executable: bool = False) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EARLIEST)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3  # Unix: the permissions count
    member.external_attr = (0o100755 if executable else 0o100644) << 16
    return member
