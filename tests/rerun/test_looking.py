"""How much is read of the disk for a record, and which paths."""

from __future__ import annotations

import pytest

from wandb_repro.rerun.looking import Looking

ROOT = "/home/ada/digits"


@pytest.mark.parametrize("path", [f"{ROOT}/x.csv", "/home/ada/x.csv", "/mnt/images", "/data/x"])
def test_where_data_may_be_is_looked_at(path: str) -> None:
    assert Looking().may_read(path, ROOT)


@pytest.mark.parametrize(
    "path", ["/dev/zero", "/proc/1/mem", "/usr", "/etc/shadow", "/home/ada/.ssh/id_rsa", "x"]
)
@pytest.mark.parametrize("root", [ROOT, "/", "/usr/../"])
def test_the_system_and_settings_are_not(path: str, root: str) -> None:
    assert not Looking().may_read(path, root)


def test_one_budget_is_used_up_by_all() -> None:
    looking = Looking(most_bytes=5)
    looking.spend(4)
    assert looking.may_read("/data/x", ROOT)
    looking.spend(4)
    assert looking.is_used_up
    assert not looking.may_read("/data/x", ROOT)


def test_after_its_time_nothing_is_read() -> None:
    looking = Looking(seconds=0)
    assert looking.is_used_up
    assert looking.limits.seconds == 0
