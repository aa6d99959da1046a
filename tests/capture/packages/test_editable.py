from __future__ import annotations

import importlib.metadata
import json
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from wandb_repro.capture.packages.editable import importable_files, source_folder


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    source = tmp_path.resolve() / "my project"
    for name in ("pkg/__init__.py", "pkg/data/x.csv", "pkg/.hidden", "pkg/a.pyc", "single.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    (source / "tests").mkdir()
    (source / "tests/__init__.py").touch()
    (source / "setup.py").touch()
    return source


def _installed(source: Path, **files: str) -> Distribution:
    """Install the source in place; files go to ``site-packages`` and into RECORD."""
    site = source.parent / "site-packages"
    place = site / "pkg-1.0.dist-info"
    place.mkdir(parents=True)
    for name, text in files.items():
        (site / name).write_text(text)
    url = {"url": source.as_uri(), "dir_info": {"editable": True}}
    (place / "direct_url.json").write_text(json.dumps(url))
    (place / "METADATA").write_text("Name: pkg\nVersion: 1.0\n")
    (place / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    return importlib.metadata.Distribution.at(place)


def test_the_source_is_found_through_its_escaped_url(source: Path) -> None:
    assert source_folder(_installed(source)) == source


def test_a_path_file_makes_the_packages_and_modules_importable(source: Path) -> None:
    found = importable_files(_installed(source, **{"pkg.pth": f"{source}\n"}))
    assert sorted(found.files) == ["pkg/__init__.py", "pkg/data/x.csv", "single.py"]
    assert found.files["pkg/data/x.csv"] == source / "pkg/data/x.csv"
    assert found.left_out == ()


def test_a_finder_of_setuptools_is_read_and_never_run(source: Path) -> None:
    finder = f"MAPPING: dict[str, str] = {{'other': {str(source / 'pkg')!r}}}\nraise SystemExit\n"
    found = importable_files(_installed(source, **{"__editable___pkg_finder.py": finder}))
    assert sorted(found.files) == ["other/__init__.py", "other/data/x.csv"]


def test_a_hook_that_is_not_understood_gives_nothing(source: Path) -> None:
    found = importable_files(_installed(source, **{"pkg.pth": "import _pkg_hook\n"}))
    assert found.files == {}


def test_a_link_out_of_the_sources_is_left_out_and_named(source: Path) -> None:
    outside = source.parent / "outside.txt"
    outside.write_text("x")
    (source / "pkg/link.txt").symlink_to(outside)
    (source / "pkg/inner.csv").symlink_to(source / "pkg/data/x.csv")
    found = importable_files(_installed(source, **{"pkg.pth": f"{source}\n"}))
    assert found.left_out == ("pkg/link.txt",)
    assert "pkg/inner.csv" in found.files
