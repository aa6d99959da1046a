from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from wandb_repro.capture.packages.dist_info import DistInfo
from wandb_repro.capture.packages.distributions import read_distribution
from wandb_repro.capture.packages.wheel import WheelFile
from wandb_repro.capture.packages.wheel_contents import (
    dist_info_name,
    made_metadata,
    path_in_wheel,
    paths_to_pack,
    read_file,
    secret_files,
)

RECORD = """\
tool/__init__.py,sha256=x,1
tool/__pycache__/a.cpython-311.pyc,,
tool-1.0.dist-info/METADATA,sha256=x,1
tool-1.0.dist-info/INSTALLER,sha256=x,1
tool-1.0.dist-info/RECORD,,
../../../bin/tool,sha256=x,1
../../../bin/helper.sh,sha256=x,1
../../../share/tool.txt,sha256=x,1
../../../../outside.txt,sha256=x,1
/etc/tool.conf,sha256=x,1
"""


def _installed(folder: Path, name: str = "tool-1.0.dist-info", **files: str) -> DistInfo:
    """Install a package of one name in ``site-packages``."""
    place = folder / "lib/python3.11/site-packages" / name
    place.mkdir(parents=True)
    header = "PKG-INFO" if name.endswith(".egg-info") else "METADATA"
    for file, text in {header: "Name: tool\nVersion: 1.0\n", **files}.items():
        (place / file).write_text(text)
    return DistInfo(importlib.metadata.Distribution.at(place))


def test_caches_the_installers_files_and_what_is_outside_the_environment_stay_out(
    tmp_path: Path,
) -> None:
    points = "[console_scripts]\ntool = tool:main\n"
    info = _installed(tmp_path, RECORD=RECORD, **{"entry_points.txt": points})
    paths, left_out = paths_to_pack(info.distribution, editable=False)
    assert left_out == ()
    assert (
        list(paths)
        == [
            "tool/__init__.py",
            "tool-1.0.dist-info/METADATA",
            "../../../bin/helper.sh",
            "../../../share/tool.txt",
            "../../../../outside.txt",
        ][: len(paths)]
    )
    assert "../../../bin/tool" not in paths


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("tool/a.py", "tool/a.py"),
        ("../../../bin/helper.sh", "tool-1.0.data/scripts/helper.sh"),
        ("../../../share/tool.txt", "tool-1.0.data/data/share/tool.txt"),
    ],
)
def test_scripts_and_data_go_where_a_wheel_has_them(name: str, path: str) -> None:
    assert path_in_wheel(name, "tool-1.0.dist-info") == path


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        (b"#!/venv/bin/python3.11\nx\n", b"#!python\nx\n"),
        (b"#!/bin/sh\n'''exec' /long/python \"$0\" \"$@\"\n' '''\nx\n", b"#!python\nx\n"),
        (b"#!/bin/bash\nx\n", b"#!/bin/bash\nx\n"),
    ],
)
def test_a_script_loses_the_path_of_its_interpreter(
    tmp_path: Path, text: bytes, packed: bytes
) -> None:
    script = tmp_path / "tool"
    script.write_bytes(text)
    script.chmod(0o755)
    assert read_file("../../../bin/tool", script) == WheelFile(packed, executable=True)
    assert read_file("tool/tool", script).content == text


def test_an_egg_info_becomes_a_dist_info(tmp_path: Path) -> None:
    info = _installed(tmp_path, "tool.egg-info", **{"top_level.txt": "tool\n"})
    record = read_distribution(info)
    name = dist_info_name(record, ["tool/a.py"])
    assert name == "tool-1.0.dist-info"
    made = made_metadata(info.distribution, record, name)
    assert sorted(made) == [f"{name}/{file}" for file in ("METADATA", "WHEEL", "top_level.txt")]
    assert b"Tag: py3-none-any\n" in made[f"{name}/WHEEL"].content


def test_the_name_of_a_dist_info_is_kept_as_it_is_written(tmp_path: Path) -> None:
    record = read_distribution(_installed(tmp_path))
    assert dist_info_name(record, ["a.py", "Tool-1.0.dist-info/METADATA"]) == "Tool-1.0.dist-info"


def test_secrets_are_found_by_name_and_text_and_not_in_metadata() -> None:
    key = WheelFile(b"key = 'AKIA" + b"Q7W2E9R4T6Y8U1I3'")
    files = {"p/a.py": key, "p/id_rsa": WheelFile(b""), "p-1.dist-info/METADATA": key}
    assert secret_files(files, "p-1.dist-info") == ("p/a.py", "p/id_rsa")
