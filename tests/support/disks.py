"""Disks that do not do what most do."""

from __future__ import annotations

import errno
import os
import stat

import pytest

__all__ = ["no_folder_sync"]


@pytest.fixture
def no_folder_sync(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let fsync of a folder fail, as some network file systems do; return what was refused."""
    real = os.fsync
    refused: list[int] = []

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            refused.append(descriptor)
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return refused
