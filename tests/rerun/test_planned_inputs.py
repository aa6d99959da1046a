"""Which files are put beside the restored tree."""

from __future__ import annotations

import pytest

from tests.support.data_records import ARTIFACT, files_at, sources_of
from tests.support.records import absent, changed, full_manifest
from wandb_repro.capture.process.input_files import InputWatch
from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.errors import RefusedError
from wandb_repro.rerun.found_inputs import FoundInputs, find_inputs
from wandb_repro.rerun.parts import parts_of
from wandb_repro.rerun.planned_inputs import Inputs, Link, plan_inputs


def planned(*files: tuple[str, str], found: FoundInputs | None = None) -> Inputs:
    """Return the plan for files that were read, each as absolute path and as it was opened."""
    read = [
        {"path": path, "absolute": absolute, "size_bytes": 0, "digest": absent("not read")}
        for absolute, path in files
    ]
    manifest = changed(full_manifest(), {"description.inputs": read})
    return plan_inputs(manifest, parts_of(manifest).code, found or FoundInputs())


def test_a_file_is_put_where_the_script_looks_for_it() -> None:
    assert planned(("/home/ada/data/x.csv", "../data/x.csv")) == Inputs(
        (Link("../data/x.csv", "/home/ada/data/x.csv"),), (), 1
    )


def test_a_file_that_git_ignores_is_put_into_the_tree() -> None:
    inputs = planned(("/home/ada/digits/x.csv", "/home/ada/digits/x.csv"))
    assert (inputs.links, inputs.up) == ((Link("x.csv", "/home/ada/digits/x.csv"),), 0)


def test_a_file_opened_by_its_absolute_path_is_read_where_it_was() -> None:
    assert planned(("/data/x.csv", "/data/x.csv")).links == ()


def test_a_missing_file_is_named_and_not_put_anywhere() -> None:
    found = FoundInputs(missing=("/home/ada/x.csv",), changed={"/home/ada/y.csv": "differs"})
    inputs = planned(("/home/ada/x.csv", "../x.csv"), found=found)
    assert (inputs.links, inputs.missing) == ((), ("/home/ada/x.csv",))
    assert inputs.changed == ("/home/ada/y.csv",)


def test_a_file_too_far_above_the_tree_is_refused() -> None:
    # Its tree lies two folders deep: every way up is counted, also one beyond the root.
    deep = "../" * 17 + "x.csv"
    manifest = changed(
        full_manifest(),
        {
            "execution.code.root": "/" + "/".join("a" * 20),
            "description.inputs": [
                {"path": deep, "absolute": "/a/a/a/x.csv", "size_bytes": 0, "digest": absent("-")}
            ],
        },
    )
    with pytest.raises(RefusedError, match="17 folders above"):
        plan_inputs(manifest, parts_of(manifest).code, FoundInputs())


@pytest.mark.parametrize("path", ["x.csv", "/a\0b"])
def test_an_input_that_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="invalid path"):
        planned((path, path))


def test_data_that_an_artifact_holds_counts_for_the_depth_and_is_not_linked() -> None:
    found = FoundInputs(sources_of(files_at("../../x.csv", artifact=ARTIFACT)))
    inputs = planned(found=found)
    assert (inputs.links, inputs.up, inputs.missing) == ((), 2, ())


def test_missing_data_is_named_with_its_part() -> None:
    inputs = planned(found=FoundInputs(sources_of(files_at("../x.csv"))))
    assert inputs.missing == ("/home/ada/x.csv (data 'train')",)


def test_the_entry_for_files_that_were_too_many_is_put_nowhere_and_not_missed() -> None:
    opened = OpenedFiles()
    opened.has_more = True
    (more,) = InputWatch(opened).inputs(code_paths=frozenset(), code_root=None, ignore=())
    manifest = changed(full_manifest(), {"description.inputs": [more.model_dump()]})
    found = find_inputs(manifest, parts_of(manifest).code, {})
    assert (found.missing, found.changed) == ((), {})
    links = plan_inputs(manifest, parts_of(manifest).code, found).links
    assert "/" not in [link.target for link in links]
