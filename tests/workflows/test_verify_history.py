"""The history of runs that no server has; that of others is in tests/online."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import absent, changed, full_manifest, lines_of, trail
from wandb_repro.errors import InconclusiveError
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail_records import Logged, TrailRecord
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.locate import Located
from wandb_repro.store.stored_history import Read
from wandb_repro.workflows import verify_history as module
from wandb_repro.workflows.verify_history import verify_history

PAGE = "https://wandb.example/ada/digits/runs/a1"
ROWS = Logged(first=1, rows=2, texts={"note": ("str:a", "str:b")}, steps="3,9")


def written(folder: Path, manifest: Manifest, *rows: TrailRecord) -> Located:
    capsule = Capsule(folder)
    capsule.manifest.write_bytes(manifest.to_bytes())
    *before, end = trail([]).records
    capsule.trail.write_bytes(b"".join(lines_of([*before, *rows, end])))
    return Located(capsule)


def online() -> Manifest:
    return changed(full_manifest(), {"run.offline": False, "run.url": PAGE})


@pytest.mark.parametrize(
    "changes",
    [{"run.offline": True}, {"run.offline": False, "run.url": absent("no page")}],
)
def test_a_run_without_a_server_has_no_history(tmp_path: Path, changes: dict[str, object]) -> None:
    located = written(tmp_path, changed(full_manifest(), changes), ROWS)
    with pytest.raises(InconclusiveError, match="recorded offline") as raised:
        verify_history(located, tmp_path)
    assert "wandb sync" in raised.value.hint


def test_the_record_of_an_online_run_on_this_disk_leads_to_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def read(path: str, scratch: Path, last_step: int, each: object) -> Read:
        del scratch, each
        asked.extend((path, last_step))
        return Read("running", 0)

    monkeypatch.setattr(module, "read_history", read)
    verdict = verify_history(written(tmp_path, online(), ROWS), tmp_path)
    assert asked == [PAGE, 9]
    assert (verdict.grade, verdict.lost.count, verdict.rows) == ("inconclusive", 2, 2)


def test_a_record_without_rows_asks_no_server(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="no logged rows"):
        verify_history(written(tmp_path, online()), tmp_path)
