"""Writes the card of a run into its capsule, and shows it on the run's W&B page."""

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


def write_card(capsule: Capsule, manifest: Manifest, trail: Trail, outcome: Outcome | None) -> None:
    """Write the card into the capsule.

    Raises:
        OSError: the file cannot be written.
    """
    extras = CardExtras(
        verdict=outcome.verdict if outcome else None,
        original_moments=outcome.original_moments if outcome else 0,
        changes=_text_of(capsule.changes),
    )
    page = card(name_of(manifest.run), manifest, trail, audit(manifest, trail), extras)
    write_atomically(capsule.report, page.encode())


def write_first_card(capsule: Capsule) -> None:
    """Write a placeholder for the card, replaced when the run ends.

    Raises:
        OSError: the file cannot be written.
    """
    write_atomically(capsule.report, _NOT_YET)


_NOT_YET = b"""\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>This run has not ended</title>
<p>This run is training or was killed. Its card is written when it ends;
<code>wandb-repro show</code> shows what is recorded so far.</p>
</html>
"""


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""  # there were no changes, or they could not be recorded


def page_reproduced(folder: Path, reproduced: str, changes: str) -> str:
    """Return the card of an original that was rerun.

    Args:
        folder: its capsule.
        reproduced: sentence saying how many reruns reproduced it, and where.
        changes: diff of uncommitted changes.
    """
    capsule = Capsule(folder)
    manifest, trail = read_manifest(capsule), read_trail(capsule)
    extras = CardExtras(reproduced=reproduced, changes=changes)
    return card(name_of(manifest.run), manifest, trail, audit(manifest, trail), extras)


def card_entry(run: Run, capsule: Capsule) -> dict[str, Any]:
    """Pass the card to W&B and return its entry for the run's summary.

    Example:
        ``{"repro/card": {"_type": "html-file", ...}}``
    """
    import wandb

    # Not the history: there it would join the next row that the user logs, even with commit=False.
    try:
        # inject=False: otherwise W&B links its own style sheet. A file, not text: W&B would copy
        # text from a folder that forked processes share and the first one to end deletes.
        page = wandb.Html(capsule.report, inject=False)
    except (TypeError, ValueError):  # wandb before 0.20 takes text only
        page = wandb.Html(capsule.report.read_text(encoding="utf-8"), inject=False)
    wandb_run, html = cast("Any", run), cast("Any", page)
    # Encoded here: W&B imports pandas (0.4 s) to check whether an object it encodes is a table.
    html.bind_to_run(wandb_run, SHOWN, "summary")
    return {SHOWN: html.to_json(wandb_run)}
