from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import absent
from wandb_repro.errors import ManifestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import MOST_BYTES, Cell, Cells

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CELL = st.builds(Cell, source=TEXT, raised=TEXT | st.builds(Unavailable, unavailable=TEXT))


@given(st.lists(CELL))
def test_cells_are_read_back_as_they_were_written(cells: list[Cell]) -> None:
    written = Cells(cells=tuple(cells))
    assert Cells.from_bytes(written.to_bytes()) == written


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "not valid JSON"),
        (b"[]", "cells are invalid"),
        (b'{"cells":[],"format":"wandb_repro/manifest","version":"1.0"}', "at format"),
        (b'{"cells":[],"format":"wandb_repro/cells","version":"2.0"}', "at version"),
        (b'{"cells":[{"source":1}],"format":"wandb_repro/cells"}', "at cells.0.source"),
        (b'{"cells":[{"source":"","run":1}],"format":"wandb_repro/cells"}', "at cells.0.run"),
        (b" " * (MOST_BYTES + 1), "larger than"),
    ],
)
def test_what_is_no_list_of_cells_is_refused(document: bytes, sentence: str) -> None:
    with pytest.raises(ManifestError, match=sentence):
        Cells.from_bytes(document)


def test_a_cell_whose_end_is_not_known_says_why() -> None:
    cell = Cell(source="x", raised=Unavailable.model_validate(absent("not told")))
    assert str(Cells.from_bytes(Cells(cells=(cell,)).to_bytes()).cells[0].raised) == "not told"
