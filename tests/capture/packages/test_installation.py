from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_wheel
from wandb_repro.capture.packages.installation import Installation, installation


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "env").install(str(make_wheel(tmp_path / "given", "tiny-thing")))


def _read(environment: Environment) -> Installation:
    return installation(Environment.distributions_in(environment.site_packages))


def test_it_is_read_once_while_it_stays_as_it_is(environment: Environment) -> None:
    assert _read(environment) is _read(environment)


def test_what_is_installed_meanwhile_is_there(environment: Environment, tmp_path: Path) -> None:
    before = _read(environment)
    environment.install(str(make_wheel(tmp_path / "given", "more-thing")))

    assert set(_read(environment).chosen) - set(before.chosen) == {"more-thing"}


def test_another_version_in_its_place_is_seen(environment: Environment, tmp_path: Path) -> None:
    assert _read(environment).chosen["tiny-thing"].headers.version == "1.0"
    environment.install(str(make_wheel(tmp_path / "given", "tiny-thing", "1.1")))

    assert _read(environment).chosen["tiny-thing"].headers.version == "1.1"


def test_metadata_edited_in_place_with_size_and_time_kept_is_seen(environment: Environment) -> None:
    before = _read(environment)
    (file,) = environment.site_packages.glob("tiny_thing-*/METADATA")
    status = file.stat()
    file.write_text(file.read_text().replace("Version: 1.0", "Version: 1.9"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    after = _read(environment)

    assert before.chosen["tiny-thing"].headers.version == "1.0"
    assert after.chosen["tiny-thing"].headers.version == "1.9"


class _Odd(importlib.metadata.Distribution):
    """One that lies in no folder."""

    def read_text(self, filename: str) -> str | None:
        return "Name: odd\nVersion: 1\n" if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return Path("/nowhere") / str(path)


def test_what_lies_in_no_folder_is_read_every_time() -> None:
    one, two = installation([_Odd()]), installation([_Odd()])

    assert one is not two
    assert list(two.chosen) == ["odd"]
