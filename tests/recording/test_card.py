"""The card that a run leaves in its capsule and on its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.records import full_manifest, rerun_manifest, trail
from tests.support.training import Young
from wandb_repro.recording.card import card_entry, write_card
from wandb_repro.recording.publish import publish_summary
from wandb_repro.recording.self_verdict import Outcome
from wandb_repro.recording.wandb_run import Run
from wandb_repro.store.capsule import Capsule
from wandb_repro.verify.verdict import judge


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    """Give an empty capsule."""
    return Capsule(tmp_path)


def test_the_page_lies_in_the_capsule(capsule: Capsule) -> None:
    write_card(capsule, full_manifest(), trail(), None)

    assert "can be rerun" in capsule.report.read_text()
    assert "Uncommitted changes" not in capsule.report.read_text()


def test_what_was_not_committed_is_taken_from_the_capsule(capsule: Capsule) -> None:
    capsule.changes.write_text("+rate = 0.2\n")

    write_card(capsule, full_manifest(), trail(), None)

    assert "+rate = 0.2" in capsule.report.read_text()


def test_a_rerun_has_its_verdict_and_how_much_was_compared(capsule: Capsule) -> None:
    manifest = rerun_manifest()
    verdict = judge(full_manifest(), trail(), manifest, trail())
    write_card(capsule, manifest, trail(), Outcome(verdict, verdict.moments + 2))

    assert "identical bit for bit" in capsule.report.read_text()
    assert "2 not compared" in capsule.report.read_text()


def test_it_is_in_the_summary_as_the_file_that_lies_in_the_capsule(offline: Young) -> None:
    import wandb

    run = wandb.init(project="p")
    capsule = Capsule(Path(run.dir) / "repro")
    capsule.folder.mkdir()
    write_card(capsule, full_manifest(), trail(), None)

    publish_summary(cast("Run", run), {"weights": "w"}, card_entry(cast("Run", run), capsule))

    assert cast("Any", run.summary)["repro/weights"] == "w"
    entry = dict(cast("Any", run.summary)["repro/card"])
    assert entry["_type"] == "html-file"
    assert (Path(run.dir) / entry["path"]).read_text() == capsule.report.read_text()
    run.finish()


class TextAlone:
    """W&B's ``Html`` before 0.20."""

    def __init__(self, data: object, *, inject: bool) -> None:
        assert not inject
        if not isinstance(data, str):
            raise ValueError("data must be a string or an io object")  # noqa: TRY004 - as wandb does
        self.data = data

    def bind_to_run(self, run: object, key: str, step: str) -> None:
        """Note for which place of the run it is."""
        self.place = (run, key, step)

    def to_json(self, run: object) -> dict[str, object]:
        """Return what the summary is given."""
        assert self.place == (run, "repro/card", "summary")
        return {"text": self.data}


class OfARun:
    """A run with nothing but a summary: nothing else of it is touched."""

    def __init__(self) -> None:
        self.summary: dict[str, Any] = {}


def test_a_wandb_that_takes_text_alone_is_given_text(
    capsule: Capsule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wandb.Html", TextAlone)
    write_card(capsule, full_manifest(), trail(), None)
    run = OfARun()

    entry = card_entry(cast("Run", run), capsule)

    assert entry == {"repro/card": {"text": capsule.report.read_text()}}
    assert run.summary == {}
