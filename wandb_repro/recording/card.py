"""The card of a run: made from its record, kept in the capsule, shown on the run's page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from wandb_repro.files import write_atomically
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.recording.self_verdict import Outcome
from wandb_repro.recording.wandb_run import Run, name_of
from wandb_repro.report.card import CardExtras, card
from wandb_repro.store.capsule import SHOWN, Capsule
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.verify.audit import audit

__all__ = ["card_entry", "page_reproduced", "write_card", "write_first_card"]


def write_card(capsule: Capsule, manifest: Manifest, trail: Trail, outcome: Outcome | None) -> None:
    """Write the page into the capsule, and return it.

    Raises:
        OSError: the disk does not take it.
    """
    extras = CardExtras(
        verdict=outcome.verdict if outcome else None,
        original_moments=outcome.original_moments if outcome else 0,
        changes=_text_of(capsule.changes),
    )
    page = card(name_of(manifest.run), manifest, trail, audit(manifest, trail), extras)
    write_atomically(capsule.report, page.encode())


def write_first_card(capsule: Capsule) -> None:
    """Write what stands for the page until the run ends.

    Raises:
        OSError: the disk does not take it.
    """
    write_atomically(capsule.report, _NOT_YET)


_NOT_YET = b"""\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>This run has not ended</title>
<p>This run trains, or was killed: its card is written when it ends.
<code>wandb-repro show</code> tells what is recorded of it.</p>
</html>
"""


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""  # nothing was changed, or nothing could be said of it


def page_reproduced(folder: Path, reproduced: str, changes: str) -> str:
    """Return the card of an original that was rerun.

    Args:
        folder: its capsule.
        reproduced: how often and where.
        changes: what was not committed, as a diff.
    """
    capsule = Capsule(folder)
    manifest, trail = read_manifest(capsule), read_trail(capsule)
    extras = CardExtras(reproduced=reproduced, changes=changes)
    return card(name_of(manifest.run), manifest, trail, audit(manifest, trail), extras)


def card_entry(run: Run, capsule: Capsule) -> dict[str, Any]:
    """Give W&B the page, and return what stands for it in the run's summary.

    NOTE: in the summary and not in the history, where even ``commit=False`` adds it to the next
    row that the user logs. Without ``inject=False`` W&B adds a link to a style of its own. Given
    as a file, it is copied from there; given as text, from a folder of W&B's that forked
    processes share, and that the first of them to end removes. W&B imports pandas (0.4 s) to see
    that the page is no table of it; of what is encoded already it asks nothing.
    """
    import wandb

    try:
        page = wandb.Html(capsule.report, inject=False)
    except (TypeError, ValueError):  # wandb before 0.20 takes no files
        page = wandb.Html(capsule.report.read_text(encoding="utf-8"), inject=False)
    of_wandb, encoded = cast("Any", run), cast("Any", page)
    encoded.bind_to_run(of_wandb, SHOWN, "summary")
    return {SHOWN: encoded.to_json(of_wandb)}
