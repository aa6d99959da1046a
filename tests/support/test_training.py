from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.training import SmallHost
from wandb_repro.capture.packages.installation import installation
from wandb_repro.capture.packages.loaded import Owners, loaded_files


def test_neither_we_nor_the_tests_are_modules_of_a_small_host() -> None:
    # One of them, and all files of its package would be searched and stored with each fit.
    seen = {name.partition(".")[0] for name in SmallHost().modules}
    assert "sys" in seen
    assert seen & {"tests", "wandb_repro"} == set()


def test_a_small_host_lists_the_modules_of_its_two_packages_and_finds_all_others() -> None:
    host = SmallHost()
    listed = {name.partition(".")[0] for name in host.modules}
    assert np.__name__ in listed
    assert "pytest" not in listed
    assert host.modules["pytest"] is pytest
    owners = Owners(installation(host.distributions()).chosen)
    sources = {
        Path(file).name for file in owners.unowned(loaded_files(host)) if file.endswith(".py")
    }
    assert sources <= {"__main__.py"}  # pytest's, under the name of a script
