"""What a report says of the files that a run saved."""

from __future__ import annotations

from typing import Any

from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.report.record_outputs import output_rows


def with_outputs(outputs: Any) -> Manifest:
    manifest = full_manifest()
    description = type(manifest.description).model_validate(
        {**dict(manifest.description), "outputs": outputs}
    )
    return manifest.model_copy(update={"description": description})


def rows(manifest: Manifest) -> dict[str, str]:
    return {title: value for title, value in output_rows(manifest) if value}


def file(path: str, **fields: Any) -> OutputFile:
    usual: dict[str, Any] = {
        "place": "run",
        "size_bytes": 1_200_000,
        "kind": "keras",
        "digest": "wrepro-root-xxh3-128-1:0123456789abcdef",
    }
    return OutputFile(path=path, **{**usual, **fields})


def test_files_are_named_by_place_with_size_and_digest() -> None:
    outputs = Outputs(
        files=(
            file("m.keras"),
            file("train.log"),
            file("w.h5", place="artifact", artifact="best", version=1),
            file("out/m.h5", place="disk", digest=Unavailable(unavailable="it was deleted")),
        ),
        left_out=2,
    )
    assert rows(with_outputs(outputs)) == {
        "saved": "6 files",
        "with the run": "m.keras (1.2 MB, 0123456789ab), "
        "train.log (1.2 MB, 0123456789ab, differs in every run)",
        "as artifacts": "best:v1/w.h5 (1.2 MB, 0123456789ab)",
        "by Keras": "out/m.h5 (not digested: it was deleted)",
        "not recorded": "2 files: there are too many",
    }


def test_a_run_that_saved_nothing_has_no_rows() -> None:
    assert rows(with_outputs(Outputs(files=()))) == {}
    assert rows(full_manifest()) == {}


def test_why_files_are_not_known_is_said() -> None:
    unknown = Unavailable(unavailable="MemoryError")
    assert rows(with_outputs(unknown)) == {"files": "not known: MemoryError"}
