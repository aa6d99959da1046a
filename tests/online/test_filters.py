"""The filters that examples/reviewing names find the right runs through the public API."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.machine import Machine
from tests.support.records import absent, rerun_manifest, trail
from tests.support.server import WandbServer
from tests.support.stored_runs import SentRun, send

PAGE = Path(__file__).parents[2] / "examples" / "reviewing" / "README.md"

_ASK = """
import json, sys, wandb
filters = json.load(open("filters.json"))
api = wandb.Api()
found = {name: sorted(run.id for run in api.runs("default/reviewed", filters=one))
         for name, one in filters.items()}
json.dump(found, open("found.json", "w"))
"""


def _filters() -> dict[str, Any]:
    found = re.search(r"^```python\nFILTERS = (.*?)^```", PAGE.read_text(), re.DOTALL | re.M)
    assert found is not None
    return ast.literal_eval(found[1])


def _run(name: str, summary: dict[str, str], **changes: object) -> SentRun:
    whole = {
        "run.id": name,
        "run.rerun_of": absent("it is not a rerun"),
        "execution.code.git.dirty": False,
        **{place.replace("__", "."): value for place, value in changes.items()},
    }
    return SentRun(name, rerun_manifest(whole), trail(), summary)


@pytest.fixture(scope="module")
def found(
    wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """Send runs of each kind, and ask for each filter with a real ``wandb.Api``."""
    runs = [
        _run("filterdirty", {}, execution__code__git__dirty=True),
        _run("filterdriver", {}, description__accelerator__driver="550.90.07"),
        _run("filternear", {}, description__accelerator__driver="5500.1"),
        _run("filterdone", {"repro/reproduced": "Reproduced in 1 of 2 reruns (other CPU)"}),
        _run("filterzero", {"repro/reproduced": "Reproduced in 0 of 2 reruns"}),
        _run("filterrerun", {"repro/verdict": "diverged"}, run__rerun_of="a/b/filterdone"),
        _run("filterdata", {}, description__data=absent("nothing was fingerprinted")),
        SentRun("filterplain", None),
    ]
    send(wandb_server, "reviewed", runs, tmp_path_factory.mktemp("reviewed"))
    machine = Machine(wandb_server, tmp_path_factory.mktemp("reviewer"))
    (machine.work / "filters.json").write_text(json.dumps(_filters()))
    done = machine.run("-c", _ASK)
    assert done.code == 0, done.err
    return json.loads((machine.work / "found.json").read_text())


def test_each_filter_of_the_page_finds_its_runs_and_no_other(found: dict[str, list[str]]) -> None:
    assert found == {
        "all runs with uncommitted code": ["filterdirty"],
        "every run on driver 550": ["filterdriver"],
        "never reproduced": [
            "filterdata",
            "filterdirty",
            "filterdriver",
            "filternear",
            "filterzero",
        ],
        "reruns that came to other bits": ["filterrerun"],
        "runs without a data fingerprint": ["filterdata"],
        "recorded without wandb_repro": ["filterplain"],
    }
