from __future__ import annotations

from pathlib import Path

from wandb_repro.capture.source.dirty import difference, shortened
from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.objects import EXECUTABLE, REGULAR, Entry, blob_id
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut

A, B = Entry(REGULAR, blob_id(b"a")), Entry(REGULAR, blob_id(b"b"))


def test_a_tree_as_committed_is_clean() -> None:
    listing = Listing(index={b"a.py": A}, head={b"a.py": A})
    assert difference(Path("/none"), listing, {b"a.py": A}, []) == (False, ())


def test_edited_added_deleted_and_executable_files_are_named_in_order(tmp_path: Path) -> None:
    head = {b"edited.py": A, b"deleted.py": A, b"mode.sh": A}
    entries = {b"edited.py": B, b"new.py": B, b"mode.sh": Entry(EXECUTABLE, A.blob)}
    listing = Listing(index=dict(head), head=head)
    dirty, changed = difference(tmp_path, listing, entries, [])
    assert dirty is True
    assert changed == ("deleted.py", "edited.py", "mode.sh", "new.py")


def test_a_committed_file_that_was_not_compared_leaves_the_answer_open() -> None:
    listing = Listing(index={b"large.bin": A}, head={b"large.bin": A})
    dirty, changed = difference(Path("/none"), listing, {}, [b"large.bin"])
    assert isinstance(dirty, Unavailable)
    assert "1 committed files were left out" in dirty.unavailable
    assert changed == ()


def test_an_untracked_file_that_is_left_out_makes_it_dirty() -> None:
    dirty, changed = difference(Path("/none"), Listing(), {}, [b"large.bin"])
    assert (dirty, changed) == (True, ("large.bin",))


def _left_out(path: str, size_bytes: int | Unavailable = 2) -> LeftOut:
    return LeftOut(path=path, size_bytes=size_bytes, reason="too large")


def test_a_thousand_files_are_named_and_more_are_counted_by_outermost_folder() -> None:
    named = [_left_out(f"a/{number}") for number in range(1000)]
    unknown = _left_out("z.bin", Unavailable(unavailable="gone"))
    rest = [_left_out("data/x/1"), _left_out("data/2"), unknown]
    assert shortened(named) == tuple(named)
    data, top = shortened([*named, *rest])[1000:][::-1]
    assert {data.path, top.path} == {"data/", "."}
    by_path = {found.path: found for found in (data, top)}
    assert by_path["data/"].size_bytes == 4
    assert by_path["data/"].reason == "2 more files that are left out"
    assert by_path["."].size_bytes == 0
