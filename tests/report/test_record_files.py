"""Files in rows."""

from __future__ import annotations

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut
from wandb_repro.report.record_files import first_of, left_out_rows, named_file

LOST = Unavailable(unavailable="gone")


def test_a_file_is_named_with_its_size_and_the_first_digits_of_its_digest() -> None:
    assert named_file("a.csv", 1234, f"sha256:{'ab' * 32}") == "a.csv (1.2 kB, sha256:abababababab)"
    assert named_file("a.csv", 1, LOST) == "a.csv (1 byte)"
    assert named_file("a.csv", LOST, LOST) == "a.csv"


def test_many_names_are_counted() -> None:
    names = [f"f{number}" for number in range(10)]

    assert first_of(names) == "f0, f1, f2, f3, f4, f5, f6, f7 and 2 more (--json names them)"
    assert first_of(names[:8]).endswith("f7")


def test_files_left_out_are_one_row_for_each_reason() -> None:
    def left(path: str, reason: str) -> LeftOut:
        return LeftOut(path=path, size_bytes=1, reason=reason)

    rows = list(left_out_rows([left("a", "large"), left("b", "secret"), left("c", "large")]))

    assert rows == [
        ("left out", "large: a (1 byte), c (1 byte)"),
        ("left out", "secret: b (1 byte)"),
    ]
