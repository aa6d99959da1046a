"""What one record says of files that its run used and its snapshot lacks."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, Code
from wandb_repro.manifest.document import Manifest
from wandb_repro.verify.finding import Finding, about_one_run

__all__ = ["beside"]

_KEEP = "keep it at its place; a rerun without it, or with another, does not start"


def beside(manifest: Manifest, code: Code) -> Iterator[Finding]:
    """Yield what may be missing from a rerun, beside what the snapshot itself left out."""
    if isinstance(code.added, Unavailable):
        yield _unknown(manifest, code.added)
    else:
        yield from _edited(code.added)
    inputs = manifest.description.inputs
    told = {f"{code.root}/{left.path}" for left in code.left_out}
    for file in () if isinstance(inputs, Unavailable) else inputs:
        if file.reason and file.absolute not in told:
            sentence = f"{file.path} was used and is not in the capsule: {file.reason}"
            yield about_one_run(
                "code", "file not stored", file.path, "may change bits", sentence, _KEEP
            )


def _unknown(manifest: Manifest, reason: Unavailable) -> Finding:
    killed = isinstance(manifest.ending, Unavailable)
    return about_one_run(
        "code",
        "files beside the snapshot",
        "",
        "may change bits" if killed else "explains",
        f"What it imported or read outside its snapshot is not known: {reason}",
        "let a run end by itself to have it recorded" if killed else "",
    )


def _edited(added: Added) -> Iterator[Finding]:
    for path in added.edited:
        yield about_one_run(
            "code",
            "edited module",
            path,
            "may change bits",
            f"{path} changed after the snapshot was taken; which of the two was imported is not "
            "known",
            "record again, and edit a copy while it trains",
        )
