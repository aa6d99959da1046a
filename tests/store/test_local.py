"""Capsules on this disk: whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.records import changed, end, full_manifest, lines_of, moment, trail
from wandb_repro.errors import (
    CodeError,
    ManifestError,
    NotFoundError,
    RefusedError,
    TrailError,
)
from wandb_repro.files import write_atomically
from wandb_repro.manifest import canonical
from wandb_repro.manifest.trail import Trail
from wandb_repro.store import local
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import (
    TrailWriter,
    check_intact,
    local_bundle,
    read_manifest,
    read_trail,
)


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    return Capsule(tmp_path)


def full_disk(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("no_folder_sync")
def test_a_folder_that_cannot_be_synced_takes_manifest_and_trail(capsule: Capsule) -> None:
    write_atomically(capsule.manifest, full_manifest().to_bytes())
    writer = TrailWriter(capsule.trail)
    for record in trail().records:
        writer.append(record, sync=True)
    writer.close()

    assert read_manifest(capsule) == full_manifest()
    assert read_trail(capsule) == trail()


def test_what_the_writer_wrote_is_read_back(capsule: Capsule) -> None:
    writer = TrailWriter(capsule.trail)
    for record in trail().records:
        writer.append(record, sync=True)
    writer.close()

    assert read_trail(capsule) == trail()


def test_every_record_is_in_the_file_before_the_next(capsule: Capsule) -> None:
    writer = TrailWriter(capsule.trail)

    for number, record in enumerate(trail().records, start=1):
        writer.append(record, sync=False)
        assert len(read_trail(capsule).records) == number


def test_a_trail_that_is_there_is_not_written_over(capsule: Capsule) -> None:
    TrailWriter(capsule.trail).close()

    with pytest.raises(FileExistsError):
        TrailWriter(capsule.trail)


def test_after_a_failed_write_the_trail_stays_closed(
    capsule: Capsule, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = trail().records
    writer = TrailWriter(capsule.trail)
    writer.append(records[0], sync=True)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full_disk)
        with pytest.raises(OSError, match="No space left"):
            writer.append(records[1], sync=True)

    with pytest.raises(OSError, match="the trail is closed"):
        writer.append(records[1], sync=True)
    assert read_trail(capsule).records == records[:1]


def test_half_a_line_is_the_last(capsule: Capsule, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    records = trail().records
    writer = TrailWriter(capsule.trail)
    writer.append(records[0], sync=True)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, line: write(file, line[:20]))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        with pytest.raises(OSError, match="a line of the trail was cut off"):
            writer.append(records[1], sync=False)

    assert read_trail(capsule) == Trail(records[:1], torn=True)
    with pytest.raises(OSError, match="the trail is closed"):
        writer.append(records[1], sync=False)


def test_a_sync_that_fails_closes_the_trail(
    capsule: Capsule, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = TrailWriter(capsule.trail)
    monkeypatch.setattr(local, "_sync", full_disk)

    with pytest.raises(OSError, match="No space left"):
        writer.append(trail().records[0], sync=True)
    with pytest.raises(OSError, match="the trail is closed"):
        writer.append(trail().records[1], sync=False)


def test_a_writer_may_be_closed_twice(capsule: Capsule) -> None:
    writer = TrailWriter(capsule.trail)
    writer.close()
    writer.close()


_FILL = """
import resource, sys
from pathlib import Path
from tests.support.records import trail
from wandb_repro.store.local import TrailWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
writer = TrailWriter(Path(sys.argv[1]))
try:
    for record in trail().records:
        writer.append(record, sync=True)
except OSError:
    print("refused")
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no such limit here")
def test_a_disk_that_fills_up_leaves_every_whole_record(capsule: Capsule) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(capsule.trail)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout == "refused\n"
    assert capsule.trail.stat().st_size == 700
    found = read_trail(capsule)
    assert found.torn
    assert found.records == trail().records[: len(found.records)] != ()


def test_a_manifest_is_read_back(capsule: Capsule) -> None:
    write_atomically(capsule.manifest, full_manifest().to_bytes())

    assert read_manifest(capsule) == full_manifest()


def test_a_folder_without_a_manifest_is_no_capsule(capsule: Capsule) -> None:
    with pytest.raises(
        NotFoundError, match=r"is not a capsule: it has no manifest\.json"
    ) as caught:
        read_manifest(capsule)

    assert caught.value.exit_code == 2


def test_a_capsule_without_a_trail_has_an_empty_one(capsule: Capsule) -> None:
    assert read_trail(capsule) == Trail((), torn=False)


def test_a_trail_that_goes_on_is_read_as_far_as_it_is(capsule: Capsule) -> None:
    lines = lines_of(trail([moment()]).records)
    capsule.trail.write_bytes(b"".join(lines[:3]) + lines[3][:5])

    assert read_trail(capsule).end is None


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("thing", [a_folder, a_pipe, a_device, a_loop])
def test_what_is_no_file_is_neither_read_nor_waited_for(
    thing: Callable[[Path], None], capsule: Capsule
) -> None:
    thing(capsule.manifest)
    thing(capsule.trail)

    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(capsule)
    with pytest.raises(TrailError, match="cannot be read"):
        read_trail(capsule)


def test_a_manifest_that_is_too_large_is_refused(capsule: Capsule) -> None:
    with capsule.manifest.open("wb") as file:
        file.truncate(100 * canonical.MAX_BYTES)  # a hole: no byte of it is on the disk

    with pytest.raises(ManifestError, match="more than 16777216"):
        read_manifest(capsule)


def test_a_line_that_is_too_large_is_refused(capsule: Capsule) -> None:
    with capsule.trail.open("wb") as file:
        file.truncate(canonical.MAX_BYTES + 1)

    with pytest.raises(TrailError, match="a line that is too large"):
        read_trail(capsule)


def test_a_trail_that_is_too_large_is_refused(capsule: Capsule) -> None:
    with capsule.trail.open("wb") as file:
        file.truncate(5 * 1024**3)

    with pytest.raises(TrailError, match="too large to be a trail"):
        read_trail(capsule)


def test_a_trail_of_something_else_is_refused(capsule: Capsule) -> None:
    capsule.trail.write_bytes(b"\x00\xff\n")

    with pytest.raises(TrailError, match="Line 1 of the trail cannot be read"):
        read_trail(capsule)


def test_a_local_bundle_is_kept_by_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")

    assert local_bundle("0" * 64) == Path(f"/data/wandb_repro/code/{'0' * 64}.bundle")


@pytest.mark.parametrize("sha256", ["", "../../secret", "0" * 63, "0" * 64 + "/x", "0" * 64 + "\n"])
def test_a_record_cannot_choose_another_place_for_it(sha256: str) -> None:
    with pytest.raises(CodeError, match="is not the SHA-256"):
        local_bundle(sha256)


def test_an_end_is_the_end() -> None:
    assert lines_of([*trail().records])[-1].startswith(b'{"fits":1,"kind":"end"')
    assert end().status == "finished"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("recorded_bytes", [1, 1 << 42], ids=["another size", "as recorded"])
def test_a_part_of_terabytes_is_refused_by_its_size(tmp_path: Path, recorded_bytes: int) -> None:
    """It has a hole, takes no space, and would be read for an hour."""
    bundle = {"name": "code.bundle", "sha256": "0" * 64, "size_bytes": recorded_bytes}
    manifest = changed(full_manifest(), {"execution.code.bundle": bundle})
    with (tmp_path / "code.bundle").open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(RefusedError, match="does not match its manifest"):
        check_intact(Capsule(tmp_path), manifest)
