from __future__ import annotations

import os
from pathlib import Path

from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.limits import Limits, choose_files, left_out
from wandb_repro.capture.source.objects import EXECUTABLE, LINK, REGULAR, Entry
from wandb_repro.manifest.base import Unavailable

ENTRY = Entry(REGULAR, "0" * 40)


def _chosen(
    root: Path, *names: bytes, tracked: tuple[bytes, ...] = (), limits: Limits | None = None
) -> tuple[list[bytes], dict[bytes, str]]:
    listing = Listing(index=dict.fromkeys(tracked, ENTRY), untracked=set(names))
    sources, refused = choose_files(root, listing, (), limits or Limits())
    return [source.path for source in sources], {
        path: record.reason for path, record in refused.items()
    }


def test_files_are_sorted_with_their_modes_and_the_gone_are_in_neither(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "b.sh").write_text("b")
    (root / "b.sh").chmod(0o755)
    (root / "a.py").write_text("a")
    (root / "link").symlink_to("a.py")
    listing = Listing(untracked={b"b.sh", b"a.py", b"link", b"gone"})
    sources, refused = choose_files(root, listing, (), Limits())
    found = [(source.path, source.mode, source.size_bytes) for source in sources]
    assert found == [(b"a.py", REGULAR, 1), (b"b.sh", EXECUTABLE, 1), (b"link", LINK, 4)]
    assert refused == {}


def test_tracked_files_come_first_where_not_all_fit(tmp_path: Path) -> None:
    for name in ("a.py", "z.py"):
        (tmp_path / name).write_text("123")
    chosen, refused = _chosen(tmp_path, b"a.py", tracked=(b"z.py",), limits=Limits(total_bytes=4))
    assert chosen == [b"z.py"]
    assert refused == {b"a.py": "all files together are over 3.815e-06 MB"}


def test_each_limit_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("123")
    assert _chosen(tmp_path, b"a.py", limits=Limits(file_bytes=1024 * 1024)) == ([b"a.py"], {})
    _, large = _chosen(tmp_path, b"a.py", limits=Limits(file_bytes=2))
    _, many = _chosen(tmp_path, b"a.py", limits=Limits(untracked_files=0))
    assert large[b"a.py"].startswith("larger than")
    assert many[b"a.py"] == "more than 0 untracked files"


def test_a_link_out_of_the_tree_a_pipe_and_a_secret_are_left_out(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "link").symlink_to("../elsewhere")
    os.mkfifo(root / "pipe")
    (root / "id_rsa").touch()
    chosen, refused = _chosen(root, b"link", b"pipe", b"id_rsa")
    assert chosen == []
    assert refused == {
        b"link": "a link that leads out of the tree, to ../elsewhere",
        b"pipe": "neither a file nor a link",
        b"id_rsa": "looks like a secret (it is named like id_rsa*)",
    }


def test_a_file_behind_a_link_is_not_there(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "real").mkdir()
    (root / "real" / "a.py").touch()
    (root / "link").symlink_to("real")
    assert _chosen(root, tracked=(b"link/a.py",)) == ([], {})


def test_an_unknown_size_is_unavailable_and_never_zero() -> None:
    record = left_out(b"a\xff", None, "gone")
    assert record.path == r"a\xff"
    assert isinstance(record.size_bytes, Unavailable)
    assert left_out(b"a", 0, "empty").size_bytes == 0
