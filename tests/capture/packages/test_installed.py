from __future__ import annotations

import base64
import hashlib
import importlib.metadata
from pathlib import Path

from tests.support.fake_host import FakeHost
from wandb_repro.capture.packages.installed import installed_packages
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Packages, Repacked


def _installed(site: Path, *, edited: bool) -> importlib.metadata.Distribution:
    place = site / "tool-1.0.dist-info"
    place.mkdir(parents=True)
    (site / "tool.py").write_text("x = 2\n" if edited else "x = 1\n")
    (place / "METADATA").write_text("Name: tool\nVersion: 1.0\n")
    (place / "WHEEL").write_text("Tag: py3-none-any\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1\n").digest()).rstrip(b"=").decode()
    size = 7 if edited else 6
    (place / "RECORD").write_text(f"tool.py,sha256={digest},{size}\n")
    return importlib.metadata.Distribution.at(place)


def _packages(site: Path, *, edited: bool) -> Packages:
    host = FakeHost(installed=(_installed(site, edited=edited),), package_folders=(str(site),))
    found = installed_packages(host)
    assert isinstance(found, Packages)
    return found


def test_packages_as_installed_have_no_wheels_and_no_edits(tmp_path: Path) -> None:
    found = _packages(tmp_path, edited=False)
    assert found.altered == ()
    (tool,) = found.distributions
    assert (tool.name, tool.version, tool.repacked) == ("tool", "1.0", None)


def test_an_edited_package_is_named_with_what_it_would_be_packed_as(tmp_path: Path) -> None:
    found = _packages(tmp_path, edited=True)
    assert isinstance(found.altered, tuple)
    assert [(edited.name, edited.files) for edited in found.altered] == [("tool", ("tool.py",))]
    (tool,) = found.distributions
    assert isinstance(tool.repacked, Repacked)
    assert tool.repacked.record_digest != tool.record_digest


def test_an_environment_without_packages_is_unavailable() -> None:
    assert isinstance(installed_packages(FakeHost()), Unavailable)
