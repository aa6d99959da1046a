"""Wheels that nobody honest would pack: each refused before anything unpacks it."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.repositories import fingerprint
from tests.support.wheels import recorded_wheel, wheel_bytes
from wandb_repro.errors import RebuildError
from wandb_repro.rerun.environment import wheel_check
from wandb_repro.rerun.environment.wheel_check import check_archive, wheel_of_capsule

NAME = "own-1.0-py3-none-any.whl"


def _own(files: Mapping[str, bytes]) -> bytes:
    return wheel_bytes("own", {"own.py": b"x = 1\n", **files})


def _with_member(name: str, mode: int = 0, content: bytes = b"evil") -> bytes:
    """Return a wheel with one member more, of any name and any kind."""
    packed = io.BytesIO(_own({}))
    member = zipfile.ZipInfo("x")
    member.filename = name  # the constructor would tidy it up
    member.external_attr = mode << 16
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(member, content)
    return packed.getvalue()


def _twice(first: str, second: str) -> bytes:
    packed = io.BytesIO(_with_member(first))
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns() if first == second else _quiet():
        archive.writestr(second, b"evil")
    return packed.getvalue()


def _quiet() -> io.BytesIO:
    return io.BytesIO()


def _lying_about(said: int) -> bytes:
    """Return a wheel with a megabyte of zeros that says of itself to be smaller or larger."""
    content = bytearray(_own({"zeros.bin": bytes(1_000_000)}))
    told, other = struct.pack("<I", 1_000_000), struct.pack("<I", said)
    assert content.count(told) == 2
    return bytes(content.replace(told, other))


def _with_flag(flag: int) -> bytes:
    """Return a wheel whose first member has a flag set in both its heads."""
    content = bytearray(_own({}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= flag
    return bytes(content)


def _packed_by(method: int) -> bytes:
    packed = io.BytesIO(_own({}))
    with zipfile.ZipFile(packed, "a", method) as archive:
        archive.writestr("more.bin", b"x" * 100)
    return packed.getvalue()


def _two_names() -> bytes:
    """Return a wheel whose member has one name in the directory and another before its bytes."""
    return _own({}).replace(b"own.py", b"../../", 1)


def _commands(text: str) -> bytes:
    return _own({"own-1.0.dist-info/entry_points.txt": text.encode()})


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a member above the folder": (lambda: _own({"../../victim/x": b"evil"}), "leaves the folder"),
    "a member above, by a detour": (lambda: _own({"own/../../x": b"evil"}), "leaves the folder"),
    "a member of an absolute name": (lambda: _with_member("/victim/x"), "leaves the folder"),
    "a member of two slashes": (lambda: _with_member("own//x"), "leaves the folder"),
    "a member with backslashes": (lambda: _with_member("..\\victim\\x"), "leaves the folder"),
    "a member of another drive": (lambda: _with_member("C:/victim/x"), "leaves the folder"),
    "a script above the folder of scripts": (
        lambda: _own({"own-1.0.data/scripts/../../../x": b"evil"}),
        "leaves the folder",
    ),
    "a member with a NUL in its name": (lambda: _with_member("own.py\0.txt"), "not a file name"),
    "a member with an escape in its name": (lambda: _with_member("a\x1b[2J"), "not a file name"),
    "a member of a huge name": (lambda: _with_member("x" * 60_000), "not a file name"),
    "an absolute link": (
        lambda: _with_member("own/link", stat.S_IFLNK | 0o777, b"/etc/passwd"),
        "neither a file nor a folder",
    ),
    "a link out of the folder": (
        lambda: _with_member("own/link", stat.S_IFLNK | 0o777, b"../../victim"),
        "neither a file nor a folder",
    ),
    "a link inside the folder": (
        lambda: _with_member("own/link", stat.S_IFLNK | 0o777, b"own.py"),
        "neither a file nor a folder",
    ),
    "a pipe": (lambda: _with_member("own/pipe", stat.S_IFIFO | 0o666), "neither a file"),
    "a device": (lambda: _with_member("own/null", stat.S_IFCHR | 0o666), "neither a file"),
    "names that are one where signs are composed": (
        lambda: _twice("own/caf\u00e9.py", "own/cafe\u0301.py"),
        "occurs twice",
    ),
    "one name twice": (lambda: _twice("own/a.py", "own/a.py"), "occurs twice"),
    "names that differ in case only": (lambda: _twice("own/A.py", "own/a.py"), "occurs twice"),
    "two names for one member": (_two_names, "is not a wheel"),
    "a member that is encrypted": (lambda: _with_flag(1), "compressed in a way"),
    "a member packed by bzip2": (lambda: _packed_by(zipfile.ZIP_BZIP2), "compressed in a way"),
    "a member packed by LZMA": (lambda: _packed_by(zipfile.ZIP_LZMA), "compressed in a way"),
    "a member larger than it says": (lambda: _lying_about(10), "lies about the size"),
    "a member smaller than it says": (lambda: _lying_about(1_900_000_000), "lies about the size"),
    "members of three gigabytes": (lambda: _lying_about(3_000_000_000), "more than 2 GB"),
    "no archive": (lambda: b"#!/bin/sh\ntouch victim\n", "is not a wheel"),
    "nothing": (lambda: b"", "is not a wheel"),
    "half an archive": (lambda: _own({})[:200], "is not a wheel"),
    "a command above its folder": (
        lambda: _commands("[console_scripts]\n../../../victim/x = own:x\n"),
        "invalid command name",
    ),
    "a command of an absolute name": (
        lambda: _commands("[console_scripts]\n/victim/x = own:x\n"),
        "invalid command name",
    ),
    "a command that is an option": (
        lambda: _commands("[gui_scripts]\n--help = own:x\n"),
        "invalid command name",
    ),
    "entry points that are none": (lambda: _commands("]["), "is not a wheel"),
}


@pytest.mark.parametrize(("make", "why"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_wheel_is_refused_and_nothing_is_written(
    make: Callable[[], bytes], why: str, tmp_path: Path
) -> None:
    content = make()
    (tmp_path / "wheels").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "wheels" / NAME).write_bytes(content)
    before = fingerprint(tmp_path)

    with pytest.raises(RebuildError, match=why) as caught:
        wheel_of_capsule(*recorded_wheel(NAME, content), tmp_path / "wheels")

    assert caught.value.message.isprintable()
    assert fingerprint(tmp_path) == before


def test_an_honest_wheel_is_taken(tmp_path: Path) -> None:
    files = {
        "own/__init__.py": b"",
        "own/data.bin": bytes(300_000),
        "own-1.0.data/scripts/tool": b"#!python\n",
        "own.pth": b"import own\n",
        "own-1.0.dist-info/entry_points.txt": b"[console_scripts]\nown = own:main\n\n[x]\n/y = z\n",
    }
    content = wheel_bytes("own", files)
    (tmp_path / NAME).write_bytes(content)

    assert wheel_of_capsule(*recorded_wheel(NAME, content), tmp_path).wheels[0].name == NAME


def test_a_wheel_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel_check, "_MOST_FILES", 100)
    (tmp_path / NAME).write_bytes(_own({f"own/{n}.py": b"" for n in range(100)}))

    with pytest.raises(RebuildError, match="more than 100 files"):
        check_archive(tmp_path / NAME)


def test_a_wheel_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    content = _own({})
    (tmp_path / "elsewhere").write_bytes(content)
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RebuildError, match="missing or is not the one"):
        wheel_of_capsule(*recorded_wheel(NAME, content), tmp_path)


def test_a_wheel_larger_than_any_is_not_read(tmp_path: Path) -> None:
    distribution, repacked = recorded_wheel(NAME, b"")
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(1 << 40)  # a sparse file: a terabyte that takes no room

    with pytest.raises(RebuildError, match="larger than any"):
        wheel_of_capsule(
            distribution, repacked.model_copy(update={"size_bytes": 1 << 40}), tmp_path
        )
