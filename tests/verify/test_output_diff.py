"""The files of two runs are compared by content; what cannot be compared is said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.verify.output_diff import ComparedFiles, output_differences


def file(path: str = "m.keras", digest: object = "a:0011", **fields: Any) -> OutputFile:
    usual: dict[str, Any] = {"place": "disk", "size_bytes": 1, "kind": "keras"}
    return OutputFile(path=path, digest=digest, **{**usual, **fields})  # pyright: ignore[reportArgumentType]


def run(*files: OutputFile, run_id: str = "k3v9x2ab", outputs: Any = None) -> Manifest:
    manifest = full_manifest()
    description = manifest.description.model_copy(
        update={"outputs": outputs or Outputs(files=files)}
    )
    identity = manifest.run.model_copy(update={"id": run_id})
    return manifest.model_copy(update={"description": description, "run": identity})


def sentences(found: ComparedFiles) -> list[str]:
    return [str(difference) for difference in found.differences]


def test_equal_files_are_counted() -> None:
    found = output_differences(run(file(), file("b")), run(file("b"), file()))
    assert found == ComparedFiles(compared=2)


def test_the_first_tensor_that_differs_is_named() -> None:
    one = file(digest="a:1", parts={"a": "1", "b": "2", "c": "3"})
    two = file(digest="a:2", parts={"a": "1", "b": "9", "d": "3"})
    found = output_differences(run(one), run(two))
    assert sentences(found) == ["file m.keras at b: 2 in the original, 9 in the rerun"]
    assert found.differences[0].places == 3


@pytest.mark.parametrize(
    ("parts_1", "parts_2"), [({}, {}), ({"a": "1"}, {}), ({"a": "1"}, {"a": "1"})]
)
def test_without_parts_the_file_is_named(parts_1: Any, parts_2: Any) -> None:
    one, two = (
        file(digest="a:1234567890", parts=parts_1),
        file(digest="a:0987654321", parts=parts_2),
    )
    found = output_differences(run(one), run(two))
    assert sentences(found) == ["file m.keras: 12345678 in the original, 09876543 in the rerun"]


def test_a_file_that_only_one_run_has_is_named() -> None:
    artifact = file("m.h5", place="artifact", artifact="best")
    found = output_differences(run(file()), run(artifact))
    assert sentences(found) == [
        "file m.keras: saved in the original, not there in the rerun",
        "file best:v0/m.h5: not there in the original, logged in the rerun",
    ]


def test_artifacts_of_one_name_are_compared_in_order() -> None:
    def version(number: int, digest: str) -> OutputFile:
        return file(place="artifact", artifact="best", version=number, digest=digest)

    found = output_differences(
        run(version(0, "a:1"), version(1, "a:2")), run(version(0, "a:2"), version(1, "a:1"))
    )
    assert [difference.key for difference in found.differences] == [
        "best:v0/m.keras",
        "best:v1/m.keras",
    ]


def test_ids_and_times_in_names_do_not_count() -> None:
    one = file("m_20261130.keras", place="artifact", artifact="run-one-m")
    two = file("m_20261201.keras", place="artifact", artifact="run-two-m")
    found = output_differences(run(one, run_id="one"), run(two, run_id="two"))
    assert found == ComparedFiles(compared=1)


def test_a_name_that_holds_the_runs_id_by_chance_is_kept() -> None:
    names = ("m.keras", "epoch-1.keras", "1/x.txt")
    original = run(*map(file, names), run_id="1")
    assert output_differences(original, run(*map(file, names), run_id="a")).compared == 3
    renamed = run(*map(file, (*names[:2], "a/x.txt")), run_id="a")
    assert output_differences(original, renamed) == ComparedFiles(compared=3)


def test_files_whose_names_differ_only_in_a_digest_are_paired_by_content() -> None:
    def image(digest: str) -> OutputFile:
        return file(f"media/images/x_0_{digest * 20}.png", place="run", digest=f"a:{digest}")

    found = output_differences(run(image("1"), image("2")), run(image("2"), image("3")))
    assert found.compared == 2
    assert [d.original for d in found.differences] == ["1"]
    assert [d.rerun for d in found.differences] == ["3"]


def test_volatile_files_are_listed_and_not_compared() -> None:
    def files(digest: str) -> Manifest:
        table = file("t.json", digest, place="artifact", artifact="run-k3v9x2ab-preview")
        return run(file("train.log", digest), file("a.png", digest), table)

    found = output_differences(files("a:1"), files("a:2"), ["*.png", "*-preview"])
    assert found == ComparedFiles(volatile=("train.log", "a.png", "t.json"))


def test_what_could_not_be_digested_is_unknown() -> None:
    reason = Unavailable(unavailable="it holds more than 4.3 GB")
    found = output_differences(run(file(digest=reason)), run(file()))
    assert found == ComparedFiles(unknown=("m.keras: it holds more than 4.3 GB",))


def test_files_digested_in_two_ways_are_unknown() -> None:
    found = output_differences(run(file(kind="hdf5")), run(file(kind="bytes", digest="b:1")))
    assert found.unknown == ("m.keras: one is digested as hdf5, the other as bytes",)


def test_files_that_are_not_recorded_are_unknown() -> None:
    found = output_differences(run(), run(outputs=Outputs(files=(), left_out=1200)))
    assert found.unknown == ("1,200 more files: there are too many",)
    found = output_differences(run(outputs=Unavailable(unavailable="why")), run())
    assert found == ComparedFiles(unknown=("files of the original: why",))


def test_files_of_an_older_record_are_not_claimed() -> None:
    found = output_differences(full_manifest(), run(file()))
    assert found == ComparedFiles(not_recorded=("files: not recorded in the original",))
