"""Rows about the files that a run saved."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.outputs import OutputFile
from wandb_repro.manifest.volatile_files import is_volatile_file
from wandb_repro.report.record_files import first_of
from wandb_repro.report.text import count, size

_DIGITS = 12

_PLACES = {"run": "with the run", "artifact": "as artifacts", "disk": "by Keras"}


def output_rows(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield a title and the names, sizes and digests of the files that a run saved."""
    outputs = manifest.description.outputs
    if isinstance(outputs, Unavailable):
        if "outputs" in manifest.description.model_fields_set:
            yield "files", f"not known: {outputs}"
        return
    total = len(outputs.files) + outputs.left_out
    if not total:
        return
    yield "saved", count(total, "file")
    for place, title in _PLACES.items():
        named = [_named(file) for file in outputs.files if file.place == place]
        yield title, first_of(named)
    if outputs.left_out:
        yield "not recorded", f"{count(outputs.left_out, 'file')}: there are too many"


def _named(file: OutputFile) -> str:
    if isinstance(file.digest, Unavailable):
        return f"{file.name} (not digested: {file.digest})"
    facts = [size(file.size_bytes)] if isinstance(file.size_bytes, int) else []
    facts.append(file.digest.rpartition(":")[2][:_DIGITS])
    if is_volatile_file(file.path):
        facts.append("differs in every run")
    return f"{file.name} ({', '.join(facts)})"
