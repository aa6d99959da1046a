"""Files outside the snapshot are put where the script looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.data_records import folder_record
from wandb_repro.errors import RefusedError
from wandb_repro.rerun.fill_folder import place_inputs
from wandb_repro.rerun.planned_inputs import Link


def test_inputs_are_copied_so_that_the_script_cannot_write_to_the_originals(tmp_path: Path) -> None:
    original = tmp_path / "data.csv"
    original.write_text("1,2")
    code = tmp_path / "tree" / "code"
    code.mkdir(parents=True)
    place_inputs(code, (Link("../data.csv", str(original)),), within=tmp_path / "tree")
    placed = tmp_path / "tree" / "data.csv"
    placed.write_text("overwritten")
    assert original.read_text() == "1,2"


def test_inputs_larger_than_the_budget_are_linked(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"12345678")
    code = tmp_path / "tree" / "code"
    links = tuple(Link(f"in/{name}", str(tmp_path / name)) for name in ("a", "b", "c"))
    place_inputs(code, links, within=tmp_path / "tree", copied_bytes=17)
    assert [(code / link.place).is_symlink() for link in links] == [False, False, True]
    assert (code / "in" / "c").read_bytes() == b"12345678"


def test_a_file_of_the_tree_is_never_replaced_by_an_input(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("input")
    code = tmp_path / "tree" / "code"
    code.mkdir(parents=True)
    (code / "x").write_text("code")
    place_inputs(code, (Link("x", str(tmp_path / "x")),), within=tmp_path / "tree")
    assert (code / "x").read_text() == "code"


def test_an_input_is_not_put_through_a_link_that_leads_out(tmp_path: Path) -> None:
    """A record may name a folder as an input, and then a file in it."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "evil").touch()
    links = (Link("d", str(home)), Link("d/.bashrc", str(tmp_path / "evil")))
    with pytest.raises(RefusedError, match="outside the new folder"):
        place_inputs(tmp_path / "tree" / "code", links, within=tmp_path / "tree")
    assert list(home.iterdir()) == []


def test_an_input_that_a_file_is_in_the_way_of_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    code = tmp_path / "tree" / "code"
    code.mkdir(parents=True)
    (code / "data").touch()
    with pytest.raises(RefusedError, match="cannot be put at"):
        place_inputs(code, (Link("data/sub/x", str(tmp_path / "x")),), within=tmp_path / "tree")


def folder_of(target: Path, each: tuple[str, ...] = (), written: tuple[str, ...] = ()) -> Link:
    """Return the link of a folder of data, as the record of it says."""
    record = folder_record(each=dict.fromkeys(each, "0"), written=written)
    return Link("data", str(target), record)


def test_a_folder_of_data_is_copied_with_its_empty_folders(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("cat", "none"):
        (home / name).mkdir(parents=True)
    (home / "cat/0").write_text("x")
    place_inputs(tmp_path / "tree", (folder_of(home),), within=tmp_path / "tree")
    placed = tmp_path / "tree" / "data"
    assert sorted(str(path.relative_to(placed)) for path in placed.rglob("*")) == [
        "cat",
        "cat/0",
        "none",
    ]
    assert not any(path.is_symlink() for path in (placed, *placed.rglob("*")))


def test_what_runs_wrote_into_a_folder_is_not_given_to_a_rerun(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("model", "epoch-1", "of-another-run"):
        (home / name).write_text("x")
    link = folder_of(home, each=("model",), written=("epoch-1",))
    place_inputs(tmp_path / "tree", (link,), within=tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree" / "data").iterdir()] == ["model"]
