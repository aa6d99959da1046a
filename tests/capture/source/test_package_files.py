from __future__ import annotations

from pathlib import Path

from wandb_repro.capture.source.package_files import package_files


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return folder


def test_a_package_is_whole_with_its_data_and_without_caches_and_hidden_files(
    tmp_path: Path,
) -> None:
    names = ("__init__.py", "a.py", "data/x.csv", "__pycache__/a.pyc", ".env", ".git/HEAD")
    package = _made(tmp_path / "tools", *names)
    found = package_files({str(package / "a.py"): str(tmp_path)})
    assert list(found) == [f"{package}/__init__.py", f"{package}/a.py", f"{package}/data/x.csv"]


def test_a_module_alone_brings_no_neighbours(tmp_path: Path) -> None:
    _made(tmp_path, "a.py", "b.py")
    assert list(package_files({str(tmp_path / "a.py"): str(tmp_path)})) == []
    assert list(package_files({str(tmp_path / "a.py"): ""})) == []


def test_a_folder_without_init_counts_only_inside_a_repository(tmp_path: Path) -> None:
    folder = _made(tmp_path / "shared", "space/a.py", "space/b.txt")
    found = {str(folder / "space/a.py"): str(folder)}
    assert list(package_files(found)) == []
    (folder / ".git").mkdir()
    assert list(package_files(found)) == [f"{folder}/space/a.py", f"{folder}/space/b.txt"]
