"""A trail too long to be held: it is read from the disk each time it is gone through."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.records import (
    end,
    granularity,
    lines_of,
    losses,
    moment,
    numbers,
    step,
    trail,
)
from wandb_repro.errors import TrailError
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import End, Granularity, Losses, Missing, Start, TrailRecord
from wandb_repro.store import local
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import TrailWriter, read_trail
from wandb_repro.verify.trail_diff import compare


@pytest.fixture(autouse=True)
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every trail a long one."""
    monkeypatch.setattr(local, "_IN_MEMORY_BYTES", 0)


def some() -> Trail:
    first = moment("initial", epoch=0, step=0)
    missing = Missing(fit=1, moment="epoch", epoch=1, step=3, reason="the disk was full")
    return trail(
        [
            granularity(),
            first,
            numbers(first),
            *(step(1), step(2, "0,2", ("a2", "c2")), step(3, "1", ("b3",))),
            losses(0.5, 0.25, 0.125),
            missing,
            moment(),
        ]
    )


def written(place: Path, content: bytes) -> Capsule:
    place.mkdir(exist_ok=True)
    (place / "trail.jsonl").write_bytes(content)
    return Capsule(place)


def test_it_is_read_as_a_short_one_is(tmp_path: Path) -> None:
    found = read_trail(written(tmp_path, b"".join(lines_of(some().records))))

    assert tuple(found.records) == tuple(some().records)
    assert found.weights == some().weights
    for kind in (Start, Granularity, Missing, Losses, End):
        assert list(found.of(kind)) == list(some().of(kind))
    assert (found.start, found.end, found.missing) == (some().start, end(), some().missing)


def test_many_records_of_a_scarce_kind_are_read_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_MOST_SCARCE", 2)

    found = read_trail(written(tmp_path, b"".join(lines_of(some().records))))

    assert found.scarce is None
    assert found.missing == some().missing
    assert found.end == end()


@pytest.mark.slow
def test_cut_off_at_any_byte_it_is_read_up_to_its_last_whole_record(tmp_path: Path) -> None:
    content = b"".join(lines_of(some().records))
    for length in range(len(content)):
        cut = content[:length]

        found = read_trail(written(tmp_path, cut))

        assert tuple(found.records) == tuple(some().records)[: cut.count(b"\n")]
        assert found.torn == (not cut.endswith(b"\n") and cut != b"")


def test_a_changed_line_is_refused_before_anything_is_compared(tmp_path: Path) -> None:
    lines = lines_of(some().records)
    lines[5] = lines[5].replace(b'"a1', b'"a9')

    with pytest.raises(TrailError, match="Line 7 of the trail does not match"):
        read_trail(written(tmp_path, b"".join(lines)))


def steps(count: int) -> Iterable[TrailRecord]:
    yield from trail([], ended=False).records
    for number in range(1, count + 1):
        yield step(number, "0-2", (f"a{number}", f"b{number}", f"c{number}"))
    yield end()


def most_memory(place: Path, count: int) -> int:
    """Return the most bytes that reading and comparing two trails of so many steps takes."""
    for name in ("one", "two"):
        (place / name).mkdir(parents=True)
        writer = TrailWriter(place / name / "trail.jsonl")
        for record in steps(count):
            writer.append(record, sync=False)
        writer.close()
    tracemalloc.start()
    found = compare(read_trail(Capsule(place / "one")), read_trail(Capsule(place / "two")))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.first, found.moments) == (None, count)
    return most


def test_ten_times_the_steps_take_no_more_memory(tmp_path: Path) -> None:
    most_memory(tmp_path / "warm", 10)

    few, many = (most_memory(tmp_path / str(count), count) for count in (100, 1000))

    assert many < 1.5 * few + 100_000
