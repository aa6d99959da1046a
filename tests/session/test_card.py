"""The card that a run leaves in its capsule and on its page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.records import full_manifest, rerun_manifest, trail
from wandb_repro.session.card import publish_card, write_card
from wandb_repro.session.outcome import Outcome
from wandb_repro.session.run import Run
from wandb_repro.store.base import Capsule
from wandb_repro.verify.verdict import judge


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    """Give an empty capsule."""
    return Capsule(tmp_path)


def test_the_page_lies_in_the_capsule(capsule: Capsule) -> None:
    page = write_card(capsule, full_manifest(), trail(), None)

    assert capsule.report.read_text() == page
    assert "What was not committed" not in page


def test_what_was_not_committed_is_taken_from_the_capsule(capsule: Capsule) -> None:
    capsule.changes.write_text("+rate = 0.2\n")

    assert "+rate = 0.2" in write_card(capsule, full_manifest(), trail(), None)


def test_a_rerun_has_its_verdict_and_how_much_was_compared(capsule: Capsule) -> None:
    manifest = rerun_manifest()
    verdict = judge(full_manifest(), trail(), manifest, trail())
    page = write_card(capsule, manifest, trail(), Outcome(verdict, verdict.moments + 2))

    assert "identical bit for bit" in page
    assert "2 not compared" in page


def test_it_is_in_the_summary_and_asks_w_and_b_for_nothing() -> None:
    told: dict[str, Any] = {}

    class OfARun:
        """A run with nothing but a summary: the history is not touched."""

        class summary:  # noqa: N801 - as W&B's run has it
            """Its summary."""

            @staticmethod
            def update(values: Mapping[str, Any]) -> None:
                """Take values."""
                told.update(values)

    publish_card(cast("Run", OfARun()), "<!doctype html>\n<p>card")

    assert list(told) == ["repro/card"]
    assert Path(told["repro/card"]._path).read_text() == "<!doctype html>\n<p>card"
