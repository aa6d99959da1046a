"""Reports source files that are missing from a record, or that may have changed."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import EXCLUDED, IGNORED, Code, LeftOut
from wandb_repro.manifest.data import InputFile
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.verify.finding import Finding, about_one_run


def audit_code(manifest: Manifest) -> Iterator[Finding]:
    """Yield source files that are missing from the record, or that may not be what ran."""
    code = manifest.execution.code
    if isinstance(code, Unavailable) or isinstance(code.bundle, Unavailable):
        why = code if isinstance(code, Unavailable) else code.bundle
        sentence = f"The source tree is not recorded: {why}"
        yield about_one_run("code", "code", "", "stops", sentence)
        return
    if code.bundle.kept == "local":
        sentence = 'The source tree is only on the machine that recorded it (code="local")'
        yield about_one_run("code", "code", "local", "stops", sentence, "rerun on that machine")
    yield from _left_out(manifest, code)
    yield from _used_outside(manifest, code)
    yield from _not_stored(manifest, code)


def _inputs(manifest: Manifest) -> tuple[InputFile, ...]:
    inputs = manifest.description.inputs
    return () if isinstance(inputs, Unavailable) else inputs


def _left_out(manifest: Manifest, code: Code) -> Iterator[Finding]:
    """Yield files of the tree that the snapshot does not contain."""
    read = {file.absolute for file in _inputs(manifest)}
    for left in code.left_out:
        needed = f"{code.root}/{left.path}" in read
        # The user asked for these to be left out: they are in the record, but need no warning.
        if not needed and left.reason.startswith((IGNORED, EXCLUDED)):
            continue
        sentence = f"{left.path} is not in the snapshot: {left.reason}"
        sentence += "; the run read it" if needed else ""
        effect = "may change bits" if needed else "explains"
        cure = _cure(left, needed=needed)
        yield about_one_run("code", "file left out", left.path, effect, sentence, cure)


def _cure(left: LeftOut, *, needed: bool) -> str:
    if left.reason.startswith("looks like a secret"):
        return "if it is not a secret, list it in not_secret in [tool.wandb_repro]"
    return "keep the file where it is, or raise the limits in [tool.wandb_repro]" if needed else ""


def _used_outside(manifest: Manifest, code: Code) -> Iterator[Finding]:
    """Yield files outside the snapshot that the run may have used in another version."""
    if isinstance(code.added, Unavailable):
        killed = isinstance(manifest.ending, Unavailable)
        effect = "may change bits" if killed else "explains"
        sentence = (
            f"Files that it imported or read outside the snapshot are not known: {code.added}"
        )
        cure = "they are recorded when a run ends normally" if killed else ""
        yield about_one_run("code", "files outside the snapshot", "", effect, sentence, cure)
        return
    for path in code.added.edited:
        sentence = f"{path} changed after the snapshot; the run may have imported either version"
        cure = "record again without editing files during the run"
        yield about_one_run("code", "edited module", path, "may change bits", sentence, cure)


def _not_stored(manifest: Manifest, code: Code) -> Iterator[Finding]:
    """Yield files that the run used and the capsule does not contain."""
    named_already = {f"{code.root}/{left.path}" for left in code.left_out}
    for file in _inputs(manifest):
        if file.reason and file.absolute not in named_already:
            sentence = f"The run used {file.path}, which is not in the capsule: {file.reason}"
            cure = "keep the file where it is: a rerun needs it unchanged"
            effect = "may change bits"
            yield about_one_run("code", "file not stored", file.path, effect, sentence, cure)
