from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wandb_repro.capture.source.limits import SourceFile, Stamp
from wandb_repro.capture.source.objects import LINK, REGULAR, Entry, blob_id
from wandb_repro.capture.source.read_files import Content, Reader

SECRET = (
    b"key = 'ghp_" + b"aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY2zA4" + b"'\n"
)  # pragma: allowlist secret


def _source(path: bytes, size_bytes: int, mode: bytes = REGULAR) -> SourceFile:
    return SourceFile(path, size_bytes, mode, Stamp(0, 0, size_bytes))


def _read(
    root: Path,
    *sources: SourceFile,
    index: Mapping[bytes, Entry] | None = None,
    head: Mapping[bytes, Entry] | None = None,
    unchanged: Mapping[bytes, Entry] | None = None,
) -> list[Content | None]:
    reader = Reader(os.fsencode(root), index or {}, head or {}, unchanged or {})
    return list(reader.read(sources))


def test_files_come_in_the_order_asked_for_and_the_gone_are_none(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"bb")
    (tmp_path / "a").write_bytes(b"a")
    b, gone, a = _read(tmp_path, _source(b"b", 2), _source(b"gone", 1), _source(b"a", 1))
    assert gone is None
    assert b is not None
    assert a is not None
    assert (b.data, a.data) == (b"bb", b"a")
    assert b.entry == Entry(REGULAR, blob_id(b"bb"))


def test_no_more_is_read_than_the_file_had_when_it_was_listed(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_bytes(b"first\nsecond\n")
    (content,) = _read(tmp_path, _source(b"train.log", 6))
    assert content is not None
    assert content.data == b"first\n"


def test_a_link_is_its_text_and_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("missing/./x")
    (content,) = _read(tmp_path, _source(b"link", 11, LINK))
    assert content is not None
    assert content.data == b"missing/./x"


def test_a_link_or_pipe_in_the_place_of_a_file_is_a_problem_and_does_not_hang(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "b")
    for content in _read(tmp_path, _source(b"a", 1), _source(b"b", 1)):
        assert content is not None
        assert content.problem.startswith("it cannot be read")


def test_what_git_has_is_not_kept_and_what_is_unchanged_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    entry = Entry(REGULAR, blob_id(b"a"))
    known, unread = _read(
        tmp_path,
        _source(b"a", 1),
        _source(b"never-read", 1),
        index={b"a": entry},
        unchanged={b"never-read": entry},
    )
    assert known is not None
    assert (known.entry, known.data) == (entry, None)
    assert unread is not None
    assert (unread.entry, unread.data) == (entry, None)


def test_a_new_file_is_searched_for_secrets_and_a_committed_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(SECRET)
    source = _source(b"a.py", len(SECRET))
    (found,) = _read(tmp_path, source)
    assert found is not None
    assert "a token for GitHub" in found.problem
    (committed,) = _read(tmp_path, source, head={b"a.py": Entry(REGULAR, blob_id(SECRET))})
    assert committed is not None
    assert committed.problem == ""


def test_many_files_keep_their_order_over_batches(tmp_path: Path) -> None:
    names = [f"{number:04}".encode() for number in range(300)]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    found = _read(tmp_path, *(_source(name, 4) for name in names))
    assert [content.data for content in found if content is not None] == names
