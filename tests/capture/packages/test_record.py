from __future__ import annotations

import pytest

from wandb_repro.capture.packages.record import record_digest_of, record_paths

ROW = "six.py,sha256=xRyR9wPT1LNpbJI8tf7CE-BeddkhU5O--sfy-mo5BN8,34703"


@pytest.mark.parametrize(
    "added",
    [
        "__pycache__/six.cpython-311.pyc,,",
        "../../../bin/six,sha256=abc,1",
        "/usr/share/six,sha256=abc,1",
        *(
            f"six-1.0.dist-info/{name},sha256=abc,1"
            for name in ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json")
        ),
    ],
)
def test_the_record_digest_ignores_what_depends_on_the_installer(added: str) -> None:
    assert record_digest_of(f"{added}\n{ROW}\n") == record_digest_of(ROW)


@pytest.mark.parametrize(
    "added",
    ["six/direct_url.json,sha256=abc,1", '"a,b.py",sha256=abc,1', "six-1.0.dist-info/WHEEL,x,1"],
)
def test_the_record_digest_covers_every_file_of_the_package(added: str) -> None:
    assert record_digest_of(f"{added}\n{ROW}\n") != record_digest_of(ROW)


def test_the_record_digest_does_not_depend_on_order_or_quotes() -> None:
    one = record_digest_of(f"{ROW}\nb.py,sha256=abc,1\n")
    assert record_digest_of(f'"b.py",sha256=abc,1\r\n{ROW}') == one


def test_an_odd_line_end_within_a_row_is_read_like_any_other() -> None:
    text = f'"a,b.py",sha256=abc,1\nc\rd,sha256=abc,1\n{ROW}'

    assert record_digest_of(text) != record_digest_of(ROW)
    assert len(record_paths(text)) == 4


def test_a_quoted_path_outside_does_not_count_wherever_it_stands() -> None:
    assert record_digest_of(f'{ROW}\n"/usr/a,b",sha256=abc,1\n') == record_digest_of(ROW)
