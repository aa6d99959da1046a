"""Checks that a wheel of a capsule is the recorded one and has nothing that no wheel needs.

The whole archive is checked before uv unpacks it. uv reads it again in its own way, so nothing
may be in it that two readers interpret differently: false sizes, names that leave the folder,
links, repeated names.

NOTE: no check here is left to uv. Of the 32 hostile wheels of this module's tests uv 0.8.6, the
oldest that we allow, refuses 6, and tries to write the commands of two outside the environment;
uv 0.13.9 refuses 16. Both take members above the folder (and drop them), links and pipes (as
files), and repeated names. Measured with both.
"""

from __future__ import annotations

import configparser
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from wandb_repro.errors import RebuildError
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.packages import Distribution, Repacked
from wandb_repro.rerun.environment.lockfile import LockedPackage, LockedWheel

if TYPE_CHECKING:
    from packaging.version import Version


MAXIMUM_UNPACKED_BYTES = 2_000_000_000
_MOST_FILES = 50_000
_LONGEST_NAME = 2048
_MOST_BYTES_READ = 1_000_000
_BLOCK_BYTES = 1 << 16
_ENCRYPTED = 0x1
_HEAD_BYTES = 30
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_COMMAND = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*")
"""Name of a script that an entry point makes. It becomes the name of a file."""


def check_archive(path: Path) -> None:
    """Check a wheel without writing any of its files.

    Raises:
        RebuildError: it is not an archive, would fill the disk, or holds what no wheel needs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path, archive)
    # NOTE: zipfile raises all of these on damaged archives. Source: CPython's Lib/zipfile.
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, ValueError, IndexError),
        *(NotImplementedError, RuntimeError, OverflowError, OSError),
    ) as error:
        raise RebuildError(f"{path.name} is not a wheel: {error}.") from error


def _check(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > _MOST_FILES:
        raise RebuildError(f"{path.name} would unpack to more than {_MOST_FILES:,} files.")
    if sum(member.file_size for member in members) > MAXIMUM_UNPACKED_BYTES:
        raise RebuildError(f"{path.name} would unpack to more than 2 GB.")
    for member, reason in _unfit(members):
        raise RebuildError(f"{path.name} holds {member.filename[:200]!a}: {reason}.")
    for member in members:
        _check_size(path, archive, member)
    _check_commands(path, archive)


def _unfit(members: Iterable[zipfile.ZipInfo]) -> Iterable[tuple[zipfile.ZipInfo, str]]:
    seen: set[str] = set()
    for member in members:
        reason = _reason(member)
        # A disk may not tell "A" from "a"; then the second would replace the first.
        folded = unicodedata.normalize("NFC", member.filename.casefold())
        if reason or folded in seen:
            yield member, reason or "its name occurs twice"
        seen.add(folded)


def _reason(member: zipfile.ZipInfo) -> str:
    """Return why a member must not be unpacked; empty if it may be."""
    # NOTE: zipfile cuts ``filename`` off at a NUL; ``orig_filename`` is the full name.
    name = member.orig_filename
    parts = re.split(r"[/\\]", name.removesuffix("/"))
    if not {"", ".", ".."}.isdisjoint(parts) or "\\" in name or ":" in parts[0]:
        return "its name leaves the folder"
    if len(name) > _LONGEST_NAME or not name.isprintable():
        return "its name is not a file name"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "it is neither a file nor a folder"
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _KNOWN:
        return "it is compressed in a way that wheels are not"
    return ""


def _check_size(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Unpack a member without storing it: its number of bytes must be the stated size."""
    with archive.open(member):  # compares the member's two headers
        pass
    assert archive.fp is not None  # noqa: S101  (it is open)
    size_bytes = _unpacked_bytes(archive.fp, member)
    if size_bytes != member.file_size:
        raise RebuildError(f"{path.name} lies about the size of {member.filename[:200]!a}.")


def _unpacked_bytes(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Return the number of bytes of a member; counting stops just above the stated size."""
    file.seek(member.header_offset)
    header = file.read(_HEAD_BYTES)
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    file.seek(member.header_offset + _HEAD_BYTES + names)
    if member.compress_type == zipfile.ZIP_STORED:
        return member.compress_size
    unpacker, total, remaining = zlib.decompressobj(-15), 0, member.compress_size
    while remaining and total <= member.file_size and not unpacker.eof:
        block = file.read(min(remaining, _BLOCK_BYTES))
        if not block:
            break
        remaining -= len(block)
        while block and total <= member.file_size:
            total += len(unpacker.decompress(block, _BLOCK_BYTES))
            block = unpacker.unconsumed_tail
    return total + len(unpacker.flush(_BLOCK_BYTES)) if total <= member.file_size else total


def _check_commands(path: Path, archive: zipfile.ZipFile) -> None:
    """Check that each script that an installer will make has the name of a file."""
    for member in archive.infolist():
        if not re.fullmatch(r"[^/]+\.dist-info/entry_points\.txt", member.filename, re.IGNORECASE):
            continue
        with archive.open(member) as file:
            text = file.read(_MOST_BYTES_READ).decode("utf-8", "replace")
        for name in _commands(text):
            if not _COMMAND.fullmatch(name):
                raise RebuildError(f"{path.name} makes an invalid command name: {name[:80]!a}.")


def _commands(text: str) -> Iterable[str]:
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False, default_section="")
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - as its docs say
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError("its entry points cannot be read") from error
    for section in ("console_scripts", "gui_scripts"):
        if parser.has_section(section):
            yield from parser.options(section)


_MOST_BYTES = 60_000_000
"""Limit of a download; recording packs fewer."""


def wheel_of_capsule(distribution: Distribution, repacked: Repacked, wheels: Path) -> LockedPackage:
    """Return the recorded wheel of the capsule.

    Raises:
        RebuildError: the file is missing, differs, would fill the disk, or is not a safe wheel.
    """
    path = wheels / repacked.name
    if not _is_wheel_of(distribution, repacked.name):
        raise RebuildError(f"{repacked.name!a} is not a wheel of {distribution.name}.")
    if path.is_symlink() or not path.is_file() or path.stat().st_size != repacked.size_bytes:
        raise _not_the_recorded(path)
    if repacked.size_bytes > _MOST_BYTES:
        raise RebuildError(f"The wheel {path.name} of the run is larger than any that is recorded.")
    if sha256_of_file(path) != repacked.sha256:
        raise _not_the_recorded(path)
    check_archive(path)
    wheel = LockedWheel(repacked.name, repacked.sha256, repacked.size_bytes)
    return LockedPackage(distribution.name, distribution.version, (wheel,))


def _not_the_recorded(path: Path) -> RebuildError:
    return RebuildError(
        f"The wheel {path.name} of the run is missing or is not the one that was recorded.",
        hint="Fetch the run again.",
    )


def _is_wheel_of(distribution: Distribution, file_name: str) -> bool:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        name, version, _, _ = parse_wheel_filename(file_name)
    except InvalidWheelFilename:
        return False
    is_plain = re.fullmatch(r"[\w.+!-]+\.whl", file_name) is not None
    return is_plain and (name, version) == (distribution.name, version_of(distribution.version))


def version_of(text: str) -> Version | None:
    """Return a PEP 440 version; None if the text is not one."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None
