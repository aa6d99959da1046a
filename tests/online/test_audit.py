"""A project on the server is read whole, judged by rules, and told worst first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.machine import Done, Machine
from tests.support.records import absent, full_manifest, rerun_manifest, trail
from tests.support.server import WandbServer
from tests.support.stored_runs import SentRun, send
from wandb_repro.manifest.manifest import Manifest

GOOD = {
    "execution.code.git.dirty": False,
    "execution.code.git.pushed": True,
    "run.rerun_of": absent("it is not a rerun"),
}


def _manifest(run_id: str, **changes: object) -> Manifest:
    told = {name.replace("__", "."): value for name, value in changes.items()}
    return rerun_manifest({"run.id": run_id, **GOOD, **told})


@pytest.fixture(scope="module")
def project(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Send one run of each kind."""
    good = _manifest("auditgood")
    runs = [
        SentRun(
            "auditgood",
            good,
            trail(),
            {"repro/rerun/elsewhere": "identical, other CPU"},
        ),
        SentRun("auditdirty", _manifest("auditdirty", execution__code__git__dirty=True), trail()),
        SentRun(
            "auditcodeless",
            _manifest("auditcodeless", execution__code=absent("the probe failed: OSError")),
            trail(),
        ),
        SentRun(
            "auditrerun",
            _manifest("auditrerun", run__rerun_of="default/audited/auditdirty"),
            trail(),
            {"repro/verdict": "diverged"},
        ),
        SentRun("auditplain", None, None, {"loss": "none"}),
    ]
    send(wandb_server, "audited", runs, tmp_path_factory.mktemp("audited"))
    torn = SentRun("audittorn", full_manifest(), trail(), {}, {"repro/manifest.json": b"{"})
    send(
        wandb_server,
        "unread",
        [replace(runs[0], id="auditread"), torn],
        tmp_path_factory.mktemp("unread"),
    )
    return "default/audited"


@pytest.fixture(scope="module")
def machine(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Give one machine for all: an audit leaves nothing behind."""
    return Machine(wandb_server, tmp_path_factory.mktemp("auditor"))


def test_each_run_has_a_line_and_the_rules_of_the_project_decide(
    project: str, machine: Machine
) -> None:
    settings = machine.work / "pyproject.toml"
    settings.write_text('[tool.wandb_repro]\nrequire = ["seed", "clean-tree", "code"]\n')
    done = machine.repro("audit", project)
    settings.unlink()

    assert done.code == 1, done.said
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0] == "3 runs break a rule rules: seed, clean-tree, code"
    assert lines[1] == ("default/audited: 5 runs, 3 repeatable, 1 reproduced, 1 rerun")
    rows = [line for line in lines if line.startswith(("✗", "✓", "!", "?"))]
    assert [row.split()[1] for row in rows] == [
        "auditplain",
        "auditcodeless",
        "auditdirty",
        "auditrerun",
        "auditgood",
    ]
    assert "clean-tree" in rows[2]
    assert rows[2].startswith("✗ auditdirty yes 0 of 1")
    assert rows[3].startswith("✓ auditrerun yes is a rerun")
    assert rows[4].startswith("✓ auditgood yes 1 of 1")
    assert max(map(len, done.out.splitlines())) <= 80
    assert "\x1b" not in done.out
    assert not done.err


def test_a_run_that_cannot_be_read_is_not_taken_for_a_good_one(
    project: str, machine: Machine
) -> None:
    del project
    done = machine.repro("audit", "default/unread", "--json")

    assert done.code == 3, done.said
    told = {run["run"]: run for run in done.data["runs"]}
    assert told["default/unread/audittorn"]["unread"]
    assert told["default/unread/audittorn"]["repeatable"] is None
    assert told["default/unread/auditread"]["repeatable"] is True


def _asked(machine: Machine, *words: str) -> Done:
    return machine.repro("audit", *words)


def test_wrong_use_is_told(project: str, machine: Machine, tmp_path: Path) -> None:
    for words, sentence in (
        ((project, "--require", "nonsense"), "No rule 'nonsense'"),
        (("default/not-there",), "There is no project default/not-there"),
        ((f"{tmp_path}",), "No run of W&B is in"),
        (("a b",), "is not a W&B project"),
    ):
        done = _asked(machine, *words)
        assert done.code == 2, done.said
        assert sentence in done.said
