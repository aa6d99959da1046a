"""What is begun while W&B starts its service."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest

from tests.support.repositories import repository
from tests.support.training import SmallHost, Young, finished
from wandb_repro import init
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.errors import HungError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.request import Options
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.source_options import wanted


def _begun(folder: Path, options: Options | None = None) -> tuple[EarlySnapshot, SmallHost]:
    host = SmallHost(started_in=str(folder))
    return EarlySnapshot(host, options or Options()), host


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which private repositories are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _kept(scratch: Path) -> list[str]:
    """Return what is kept there, but for the folder in which child processes note training."""
    kept = (path.name for path in scratch.glob("wandb-repro-*"))
    return [name for name in kept if not name.startswith("wandb-repro-children-")]


def test_the_snapshot_that_was_begun_is_the_one_that_is_recorded(offline: Young) -> None:
    def never(*_: object, **__: object) -> NoReturn:
        raise AssertionError("taken a second time")

    offline.monkeypatch.setattr("wandb_repro.recording.source.take_snapshot", never)

    code = finished(init(project="p")).manifest.execution.code

    assert isinstance(code, Code)
    assert (code.root, code.files) == (str(offline.project), 1)


def test_a_snapshot_of_another_tree_is_not_given(tmp_path: Path, scratch: Path) -> None:
    made = repository(tmp_path / "code")
    ahead, host = _begun(made.path)

    assert ahead.snapshot(wanted(None, host, Options(max_file_mb=1)), ()) is None
    ahead.close()

    assert _kept(scratch) == []


def test_a_snapshot_that_holds_files_of_wandb_is_not_given(tmp_path: Path, scratch: Path) -> None:
    """Where W&B writes is only known when it has begun."""
    made = repository(tmp_path / "code", **{"results/debug.txt": "d"})
    ahead, host = _begun(made.path)

    assert ahead.snapshot(wanted(None, host, Options()), (made.path / "results",)) is None
    ahead.close()

    assert _kept(scratch) == []


def test_a_snapshot_that_is_given_is_left_alone(tmp_path: Path, scratch: Path) -> None:
    made = repository(tmp_path / "code")
    ahead, host = _begun(made.path)

    given = ahead.snapshot(wanted(None, host, Options()), (made.path / "results",))
    ahead.close()

    assert isinstance(given, Snapshot)
    assert given.exclude == (made.path / "results",)
    assert given.write_bundle(tmp_path / "code.bundle").size_bytes
    given.close()
    assert _kept(scratch) == []


def test_why_there_is_no_snapshot_is_told_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hung(*_: object, **__: object) -> NoReturn:
        raise HungError("git ls-files did not end in time")

    monkeypatch.setattr("wandb_repro.recording.early_snapshot.take_snapshot", hung)
    ahead, host = _begun(tmp_path)

    told = ahead.snapshot(wanted(None, host, Options()), ())

    assert isinstance(told, Unavailable)
    assert "did not end in time" in str(told)
    ahead.close()


def test_nothing_is_left_behind_when_wandb_does_not_start(offline: Young, scratch: Path) -> None:
    import wandb

    def fails(**_: object) -> NoReturn:
        raise RuntimeError("no service")

    offline.monkeypatch.setattr(wandb, "init", fails)

    with pytest.raises(RuntimeError, match="no service"):
        init(project="p")

    assert _kept(scratch) == []


@pytest.mark.parametrize(
    "kwargs", [{"mode": "disabled"}, {"code": "off"}, {"settings": {"disable_code": True}}]
)
def test_nothing_is_kept_of_code_that_may_not_be_stored(
    kwargs: dict[str, Any], offline: Young, scratch: Path
) -> None:
    run = cast("Any", init)(project="p", **kwargs)

    assert _kept(scratch) == []
    run.finish()
