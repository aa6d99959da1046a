"""Tar archives are read by their members, without their times."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from wandb_repro.capture.outputs.contents import Contents
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.output_file import digest_output
from wandb_repro.capture.outputs.tar_file import is_tar, tar_contents
from wandb_repro.errors import DigestError


def tar(mtime: int = 1, link: str = "a.txt", **members: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(text), mtime
            archive.addfile(info, io.BytesIO(text))
        info = tarfile.TarInfo("link")
        info.type, info.linkname = tarfile.SYMTYPE, link
        archive.addfile(info)
    return content.getvalue()


def read(content: bytes, **limits: Any) -> Contents | None:
    return tar_contents(io.BytesIO(content), OutputBudget(**limits))


def test_times_do_not_count_and_members_do() -> None:
    one = read(tar(mtime=1, a=b"1", b=b"2"))
    assert one is not None
    assert [part.name for part in one.parts] == ["a", "b", "link"]
    assert read(tar(mtime=2, a=b"1", b=b"2")) == one
    others = (read(tar(a=b"1", b=b"3")), read(tar(a=b"1")), read(tar(a=b"1", b=b"2", link="x")))
    assert one not in others


def test_a_packed_archive_is_read_likewise(tmp_path: Path) -> None:
    digests = set[str]()
    for mtime in (1, 2):
        content = tar(mtime, a=b"1")
        (tmp_path / "a.tar").write_bytes(content)
        (tmp_path / "a.tar.gz").write_bytes(gzip.compress(content, mtime=mtime))
        for name in ("a.tar", "a.tar.gz"):
            found = digest_output(tmp_path / name, OutputBudget()).contents
            assert found.kind == "tar"
            digests.add(found.digest)
    assert len(digests) == 1


def test_another_file_is_no_tar() -> None:
    assert not is_tar(io.BytesIO(b"text"))
    assert is_tar(io.BytesIO(tar(a=b"1")))


def test_a_truncated_archive_is_none() -> None:
    assert read(tar(a=b"1" * 2000)[:900]) is None


def test_more_than_the_budget_is_refused() -> None:
    with pytest.raises(DigestError, match="more than"):
        read(tar(a=bytes(100_000)), file_bytes=50_000)
    with pytest.raises(DigestError, match="more than 1 parts"):
        read(tar(a=b"1", b=b"2"), members=1)
