"""Where data is now: where ``--data`` says, where it was, or where only later can tell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.data_records import (
    ARTIFACT,
    files_at,
    files_like,
    folder_digested,
    folder_record,
    record_of_data,
    record_of_folders,
    sources_of,
)
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import DataFiles, InputFolder
from wandb_repro.rerun.data_sources import (
    Given,
    Source,
    compared,
    find_sources,
    refuse_faults,
    state_of,
)
from wandb_repro.rerun.found_inputs import find_inputs
from wandb_repro.rerun.looking import Looking
from wandb_repro.rerun.parts import parts_of
from wandb_repro.rerun.plan import make_plan

UNREAD = Unavailable(unavailable="it was not read")


def only(files: DataFiles, given: str | None = None) -> tuple[str, str | None]:
    """Return state and place of the one source."""
    (source,) = sources_of(files, {} if given is None else {"train": given}).found
    return source.state, source.place


@pytest.fixture
def like(tmp_path: Path) -> Path:
    path = tmp_path / "x.csv"
    path.write_text("1.5")
    return path


def test_data_outside_the_tree_is_compared_where_it_was(like: Path) -> None:
    assert only(files_like(like, str(like))) == ("same", None)
    like.write_text("2.5")
    assert only(files_at(str(like))) == ("changed", None)
    like.unlink()
    assert only(files_at(str(like))) == ("missing", None)


def test_data_that_was_given_is_compared_there_and_put_where_the_script_looks(like: Path) -> None:
    assert only(files_like(like, "../data/x.csv"), str(like)) == ("same", "../data/x.csv")


def test_data_without_a_digest_is_there_and_no_more_is_known(like: Path) -> None:
    unread = Unavailable(unavailable="too large")
    files = files_at(str(like)).model_copy(update={"digest": unread})
    assert state_of(files, str(like)) == "not told"
    assert state_of(files, f"{like}.gone") == "missing"


def test_what_the_restored_tree_may_hold_is_known_later() -> None:
    assert only(files_at("data/x.csv")) == ("later", "data/x.csv")


@pytest.mark.parametrize("path", ["/dev/zero", "/usr/./././.", "/home/ada/.ssh/id_rsa"])
def test_data_at_a_path_of_the_system_or_of_settings_is_not_looked_at(path: str) -> None:
    assert only(files_at(path)) == ("not looked at", None)


def test_data_that_a_person_names_is_looked_at_everywhere(like: Path) -> None:
    hidden = like.parent / ".hidden" / "x.csv"
    hidden.parent.mkdir()
    like.rename(hidden)
    files = files_like(hidden, str(hidden))
    assert only(files)[0] == "not looked at"
    assert only(files, str(hidden))[0] == "same"


def test_what_takes_too_long_to_read_is_not_called_changed(like: Path) -> None:
    files = files_like(like, str(like))
    assert compared(files, str(like), Looking(seconds=0))[0] == "not looked at"


def test_what_the_snapshot_is_known_to_lack_is_missing() -> None:
    (left,) = (one for one in parts_of(record_of_data(files_at("x"))).code.left_out[:1])
    assert only(files_at(left.path)) == ("missing", left.path)


def test_what_an_artifact_holds_is_downloaded_later() -> None:
    assert only(files_at("../x.csv", artifact=ARTIFACT))[0] == "later"


def test_a_source_covers_its_files_and_no_neighbour(like: Path) -> None:
    sources = sources_of(files_like(like.parent, str(like.parent)))
    assert sources.covers(str(like))
    assert sources.covers(str(like.parent))
    assert not sources.covers(f"{like.parent}-other/x.csv")


def test_given_data_that_the_record_does_not_name_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="no data of this name") as caught:
        sources_of(files_at("x"), {"valid": "/tmp"})
    assert caught.value.hint == "Recorded: train."


@pytest.mark.parametrize("path", ["relative", "/a\0b"])
def test_a_record_whose_data_is_no_path_is_refused(path: str) -> None:
    files = files_at("x").model_copy(update={"absolute": path})
    with pytest.raises(RefusedError, match="invalid path"):
        sources_of(files)


def test_an_absolute_path_outside_the_tree_is_never_linked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="by its absolute path") as raised:
        sources_of(files_at("/data/x.csv"), {"train": str(tmp_path)})
    assert raised.value.hint == f"Put it there: ln -s {tmp_path} /data/x.csv"


def test_all_that_is_lacking_is_named_at_once() -> None:
    with pytest.raises(RefusedError) as caught:
        refuse_faults({"are not here": ["/a", "/b"], "are not the same here": ["/c"]})
    assert caught.value.message == (
        "The original used files that are not here: /a, /b. "
        "The original used files that are not the same here: /c."
    )


def test_where_nothing_is_lacking_nothing_is_refused() -> None:
    refuse_faults({"are not here": [], "are not the same here": []})


def test_a_tree_is_restored_as_deep_as_data_of_an_artifact_lay_above_it(tmp_path: Path) -> None:
    files = files_at("../../../data/x.csv", artifact=ARTIFACT)
    manifest = record_of_data(files)
    found = find_inputs(manifest, parts_of(manifest).code, {})
    plan = make_plan(manifest, tmp_path, found, ask_values=False)
    (source,) = plan.inputs.data.named("later")
    assert source.place is not None
    place = Path(os.path.normpath(plan.code / source.place))
    assert place.is_relative_to(plan.tree_folder)


def of_folder(folder: InputFolder, given: dict[str, str] | None = None) -> Source:
    """Return the one folder that a run read, as it is now."""
    manifest = record_of_folders(folder)
    (source,) = find_sources(manifest, parts_of(manifest).code, Given(given or {}), Looking()).found
    return source


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text(name)
    return folder


def test_a_folder_that_is_gone_is_missing() -> None:
    source = of_folder(folder_record())
    assert (source.state, source.place, source.name) == ("missing", "data", "data")
    assert source.label == "/home/ada/digits/data"


@pytest.mark.parametrize("name", ["data", "/home/ada/digits/data"])
def test_a_folder_is_compared_where_it_was_given(data: Path, name: str) -> None:
    folder = folder_digested(data, absolute="/home/ada/digits/data")
    assert of_folder(folder, {name: str(data)}).state == "same"
    (data / "b").write_text("B")
    source = of_folder(folder, {name: str(data)})
    assert (source.state, source.label) == ("changed", f"{data} (b differs)")


def test_a_folder_around_it_may_be_given(data: Path) -> None:
    folder = folder_digested(data, absolute="/home/ada/digits/all/data", path="all/data")
    assert of_folder(folder, {"all": str(data.parent)}).state == "same"


def test_a_folder_that_is_downloaded_again_is_not_missing() -> None:
    path = "/home/ada/.keras/datasets/x"
    assert of_folder(folder_record(absolute=path, path=path)).state == "downloaded"


def test_a_folder_of_which_the_run_left_nothing_is_not_asked_for() -> None:
    assert of_folder(folder_record(count=0, digest=UNREAD)).state == "not told"


@pytest.mark.parametrize("path", ["/", "/etc", "/home/ada/.ssh", "relative", "/home/../etc"])
def test_a_record_cannot_name_any_folder(path: str) -> None:
    with pytest.raises(RefusedError, match="The record names"):
        of_folder(folder_record(absolute=path, path=path))


def test_a_folder_that_was_fingerprinted_is_one_source() -> None:
    folders = record_of_folders(folder_record()).description.folders
    manifest = record_of_data(files_at("data"))
    description = manifest.description.model_copy(update={"folders": folders})
    both = manifest.model_copy(update={"description": description})
    sources = find_sources(both, parts_of(both).code, Given({}), Looking())
    assert [source.name for source in sources.found] == ["train"]
