"""Files that a run left behind, as they are in the record."""

from __future__ import annotations

from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.outputs import OutputFile, Outputs

FILE = OutputFile(
    place="artifact",
    path="m.keras",
    artifact="best",
    version=2,
    type="model",
    size_bytes=12,
    kind="keras",
    digest="wrepro-root-xxh3-128-1:00",
    parts={"config.json": "0123abcd"},
)


def test_a_file_of_an_artifact_is_named_with_its_version() -> None:
    assert FILE.name == "best:v2/m.keras"
    assert FILE.model_copy(update={"place": "disk"}).name == "m.keras"


def test_files_are_read_back() -> None:
    manifest = full_manifest()
    description = manifest.description.model_copy(update={"outputs": Outputs(files=(FILE,))})
    with_files = manifest.model_copy(update={"description": description})
    assert Manifest.from_bytes(with_files.to_bytes()).description.outputs == Outputs(files=(FILE,))


def test_an_older_record_has_none_and_is_written_again_without_them() -> None:
    manifest = full_manifest()
    fields = manifest.description.model_dump(exclude={"outputs"})
    assert "outputs" not in type(manifest.description).model_validate(fields).model_dump()
    assert isinstance(type(manifest.description).model_validate(fields).outputs, Unavailable)
