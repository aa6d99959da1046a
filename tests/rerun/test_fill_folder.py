"""Files outside the snapshot are put where the script looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

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
