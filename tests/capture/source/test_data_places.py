"""Which folders may hold a script's data, by their path alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.source.data_places import may_be_data, may_hold_data
from wandb_repro.manifest.data import is_download_cache

ROOT = "/srv/ada/digits"


@pytest.mark.parametrize(
    "folder",
    [
        f"{ROOT}/data",
        "/srv/ada/data",
        "/mnt/images/train",
        "/srv/ada/.keras/datasets/flowers",
    ],
)
def test_data(folder: str) -> None:
    assert may_hold_data(folder, ROOT)


@pytest.mark.parametrize(
    "folder",
    [
        "relative",
        "/proc/self",
        "/dev/shm",
        "/etc/ssl",
        "/usr/share/fonts",
        "/tmp",
        "/tmp/tmpab12cd34/x",
        "/",
        str(Path.home()),
        f"{ROOT}/.venv/lib",
        f"{ROOT}/../data",
        f"{ROOT}/pkg/__pycache__",
        "/srv/ada/.ssh",
        "/opt/venv/lib/python3.11/site-packages/x",
        f"{ROOT}/artifacts/mnist:v3",
    ],
)
def test_no_data(folder: str) -> None:
    assert not may_hold_data(folder, ROOT)


def test_a_tree_in_a_system_temporary_or_hidden_folder_has_data() -> None:
    assert may_hold_data("/usr/src/app/data", "/usr/src/app")
    assert may_hold_data("/tmp/tmpab12cd34/data", "/tmp/tmpab12cd34/digits")
    assert may_hold_data("/srv/.work/data", "/srv/.work/digits")


def test_a_cache_of_downloads_is_known_by_its_path() -> None:
    assert is_download_cache("/home/ada/.keras/datasets/x")
    assert not is_download_cache("/home/ada/keras/datasets/x")


@pytest.mark.parametrize(
    ("place", "root"),
    [("/home/ada/x.csv", "home/ada"), ("//home/ada/x.csv", "/home/ada"), ("x.csv", "/home/ada")],
)
def test_a_path_or_root_that_is_not_absolute_is_no_place_of_data(place: str, root: str) -> None:
    assert not may_be_data(place, root)
    assert may_be_data("/home/ada/x.csv", "/home/ada")
