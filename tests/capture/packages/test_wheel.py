from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from wandb_repro.capture.packages.record import record_digest_of
from wandb_repro.capture.packages.wheel import WheelFile, wheel_name, write_wheel


@pytest.mark.parametrize(
    ("tags", "compressed"),
    [
        ((), "py3-none-any"),
        (("py3-none-any",), "py3-none-any"),
        (("py3-none-any", "py2-none-any"), "py2.py3-none-any"),
        (
            ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"),
            "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64",
        ),
        (("cp311-cp311-any", "py3-none-any"), "cp311-cp311-any"),
        (("../../x-y-z",), "py3-none-any"),
    ],
)
def test_a_name_says_which_tags(tags: tuple[str, ...], compressed: str) -> None:
    assert wheel_name("tiny-thing", "1.0+cpu", tags) == f"tiny_thing-1.0+cpu-{compressed}.whl"


def test_neither_order_nor_time_changes_the_bytes(tmp_path: Path) -> None:
    files = {"b.py": WheelFile(b"b"), "a.py": WheelFile(b"a", executable=True)}
    first = write_wheel(tmp_path / "x.whl", files, "x-1.dist-info")
    again = write_wheel(tmp_path / "y.whl", dict(reversed(files.items())), "x-1.dist-info")
    assert first.sha256 == again.sha256


def test_the_record_leaves_out_what_is_installed_elsewhere(tmp_path: Path) -> None:
    files = {"a.py": WheelFile(b"a")}
    plain = write_wheel(tmp_path / "x.whl", files, "x-1.dist-info")
    more = files | {"x-1.data/scripts/x": WheelFile(b"s")}
    with_script = write_wheel(tmp_path / "y.whl", more, "x-1.dist-info")
    assert plain.record_digest == with_script.record_digest
    assert plain.sha256 != with_script.sha256


def test_the_record_names_every_file_with_its_hash(tmp_path: Path) -> None:
    written = write_wheel(tmp_path / "x.whl", {"a,b.py": WheelFile(b"a")}, "x-1.dist-info")
    with zipfile.ZipFile(tmp_path / "x.whl") as archive:
        record = archive.read("x-1.dist-info/RECORD").decode()
    assert record.startswith('"a,b.py",sha256=ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs,1\n')
    assert record_digest_of(record) == written.record_digest


def test_a_file_that_can_be_run_stays_so(tmp_path: Path) -> None:
    files = {"a": WheelFile(b"", executable=True), "b": WheelFile(b"")}
    write_wheel(tmp_path / "x.whl", files, "x-1.dist-info")
    with zipfile.ZipFile(tmp_path / "x.whl") as archive:
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in archive.infolist()}
    assert (modes["a"], modes["b"]) == (0o755, 0o644)
