"""The reports that golden files hold: one of each kind that people meet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from tests.support.golden import DATA
from tests.support.many_packages import many_packages
from tests.support.records import absent, full_manifest, moment, moments, rerun_manifest, trail
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_file import parse
from wandb_repro.report.differences import differences_text
from wandb_repro.report.plan import plan_text
from wandb_repro.report.prediction import prediction_text
from wandb_repro.report.project_status import project_status_text
from wandb_repro.report.show import record_text
from wandb_repro.report.verdict import verdict_text
from wandb_repro.rerun.environment.compare import Inequality
from wandb_repro.rerun.environment.dependencies import Needed
from wandb_repro.rerun.environment.interpreter import FoundPython
from wandb_repro.rerun.environment.select import Choice
from wandb_repro.rerun.found_inputs import FoundInputs
from wandb_repro.rerun.plan import make_plan
from wandb_repro.rerun.planned_inputs import Inputs, Link
from wandb_repro.verify.audit import audit
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.prediction import How, predict
from wandb_repro.verify.project_status import (
    RunStatus,
    project_status,
    run_status,
    status_without_record,
)
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import judge

__all__ = ["REPORTS", "hostile"]

NAME = "ada/digits/a1b2c3d4"
BENT: dict[str, Any] = {
    "description.runtime.intra_op_threads": 1,
    "description.machine.kernel": "6.1.0-21-amd64",
    "execution.packages.distributions.1.version": "13.7.1",
}


def verdict(
    other: Trail,
    changes: dict[str, Any] | None = None,
    limit: Limit | None = None,
    tolerance: Tolerance | None = None,
) -> RenderableType:
    """Return the verdict on a rerun of the full manifest's run."""
    sides = full_manifest(), trail(), rerun_manifest(changes), other
    return verdict_text(judge(*sides, limit, tolerance=tolerance))


def show(manifest: Manifest, of: Trail) -> RenderableType:
    """Return what ``show`` prints."""
    return record_text(NAME, manifest, of, audit(manifest, of))


def recorded_show() -> RenderableType:
    """Return ``show`` of the run that is kept of format 1.0."""
    manifest = Manifest.from_bytes((DATA / "manifests" / "1.0.json").read_bytes())
    with (DATA / "trails" / "1.0.jsonl").open("rb") as lines:
        return record_text("quickstart/fwugnbw9", manifest, parse(lines), audit(manifest, trail()))


def diverged() -> list[Any]:
    """Return the moments of a rerun that differs after the first step."""
    return [
        moments()[0],
        moment("step", epoch=0, step=1, leaves=("99", "b01", "98")),
        moment(leaves=("1", "2", "3"), metrics={"loss": 1.0 + 1e-9, "accuracy": 0.5}),
    ]


def plan() -> RenderableType:
    """Return what is asked before a rerun."""
    made = make_plan(
        full_manifest(),
        Path("/tmp/rerun-1"),
        FoundInputs(),
        values={3: "secret"},
        allow_missing=True,
    )
    inputs = Inputs(
        links=(Link(place="../data.csv", target="/home/ada/data.csv"),),
        missing=("../labels.csv",),
        up=made.inputs.up,
    )
    unequal = tuple(
        Inequality(f"package-{number}", what, "1.0", "2.0")
        for number, what in enumerate(("missing", "extra", "content", "unknown", "version") * 2)
    )
    return plan_text(
        NAME,
        replace(made, inputs=inputs),
        Choice(
            None,
            "a new one, since here 10 packages differ",
            unequal,
            base=FoundPython(Path("/usr/bin/python3.12"), "3.12.1", "3.12.1 (main)", "cpython"),
            needed=Needed(made.parts.packages, left_out=("jupyter", "pandas")),
        ),
        recorded_by="ada, as run ada/digits/a1b2c3d4 "
        "(reported by W&B at wandb.example, not verified)",
        sets={**made.switches, "WANDB_DIR": "/tmp/rerun-1"},
    )


def preflight(changes: dict[str, Any], how: How, *unknown: str) -> RenderableType:
    """Return what ``check`` prints of a machine that differs so."""
    found = differences(full_manifest(), rerun_manifest(changes))
    environment = "a new one, since here rich is different"
    return prediction_text(
        predict(NAME, how, environment, found, rebuilt=how == "rerun", unknown=unknown)
    )


def near(epochs: int = 3) -> list[Any]:
    """Return the moments of a rerun whose last bits differ, and whose metrics nearly do not."""
    found: list[Any] = moments()[:1]
    for number in range(1, epochs + 1):
        metrics = {"loss": 1 / number + 1e-7, "accuracy": 1 - 1 / (number + 1) - 1e-3}
        found.append(
            moment(epoch=number, step=10 * number, leaves=("7", "8", "9"), metrics=metrics)
        )
    return found


NEAR = Tolerance(rtol=1e-3, metrics={"accuracy": 0.002})


def many() -> tuple[Finding, ...]:
    """Return the differences of two runs with a dozen other packages and another config."""
    manifest = many_packages(full_manifest(), 12)
    packages = manifest.execution.packages
    assert isinstance(packages, Packages)
    newer = tuple(one.model_copy(update={"version": "3.15.2"}) for one in packages.distributions)
    changed = packages.model_copy(update={"distributions": newer})
    other = rerun_manifest({**BENT, "execution.config": {"lr": 0.2, "batch": 8}})
    execution = other.execution.model_copy(update={"packages": changed})
    return differences(manifest, other.model_copy(update={"execution": execution}))


RULES = ("seed", "clean-tree", "data-fingerprints", "reproduced")


def project() -> RenderableType:
    """Return what ``audit`` prints of a project with one run of each kind."""

    def run(name: str, changes: dict[str, Any], **told: Any) -> RunStatus:
        manifest = rerun_manifest({"run.id": name, "run.rerun_of": absent("none"), **changes})
        return run_status(f"ada/digits/{name}", manifest, trail(), RULES, **told)

    torn = "the manifest's digest does not match its content: it was cut off or modified"
    found = (
        run(
            "a1b2c3d4", {"execution.code.git.dirty": False}, attempts={"z": "identical, other CPU"}
        ),
        run("e5f6a7b8", {"execution.code": absent("the probe failed: OSError")}),
        run("e5f6a7b9", {"description.data": absent("nothing was fingerprinted")}),
        run("c0ffee00", {"run.rerun_of": "ada/digits/e5f6a7b9"}, verdict="diverged"),
        status_without_record(
            "ada/digits/old", RULES, name="", state="", why="nobody", recorded=False
        ),
        status_without_record("ada/digits/torn", RULES, name="", state="", why=torn, recorded=True),
    )
    return project_status_text("ada/digits", project_status(found, RULES), RULES, 240)


REPORTS = {
    "audit": project,
    "verdict-identical": lambda: verdict(trail()),
    "verdict-prefix": lambda: verdict(trail(), limit=Limit(epoch=1)),
    "verdict-diverged": lambda: verdict(trail(diverged(), ended=False), BENT),
    "check": lambda: preflight(BENT, "rerun"),
    "check-by-hand": lambda: preflight(BENT, "by hand"),
    "check-nothing": lambda: preflight({}, "rerun"),
    "check-unknown": lambda: preflight({}, "rerun", "nothing could be compared"),
    "verdict-equivalent": lambda: verdict(trail(near()), BENT, tolerance=NEAR),
    "verdict-beyond": lambda: verdict(trail(near()), BENT, tolerance=replace(NEAR, rtol=1e-9)),
    "verdict-not-applied": lambda: verdict(trail(near(2)), BENT, tolerance=NEAR),
    "verdict-inconclusive": lambda: verdict(
        trail(moments()[:3], ended=False), {"execution.command.target": "other.py"}
    ),
    "show": lambda: show(full_manifest(), trail()),
    "show-nothing-known": lambda: show(nothing(), trail([], ended=False)),
    "show-recorded": recorded_show,
    "diff": lambda: differences_text(
        NAME, "ada/digits/e5f6a7b8", differences(full_manifest(), rerun_manifest(BENT))
    ),
    "diff-many": lambda: differences_text(NAME, "ada/digits/e5f6a7b8", many()),
    "diff-many-all": lambda: differences_text(NAME, "ada/digits/e5f6a7b8", many(), every=True),
    "diff-none": lambda: differences_text(NAME, "ada/digits/e5f6a7b8", ()),
    "plan": plan,
}


def nothing() -> Manifest:
    """Return a run of which nothing but its name is known."""
    why = absent("the probe failed: OSError")
    parts = ("command", "code", "packages", "seed", "config")
    paths = {f"execution.{name}": why for name in parts} | {"ending": why}
    paths |= {f"description.{name}": why for name in type(full_manifest().description).model_fields}
    return rerun_manifest(paths)


def hostile(text: str) -> list[RenderableType]:
    """Return every report of a record that holds this text wherever a stranger can write."""
    bent: dict[str, Any] = {
        "run.url": text,
        "run.rerun_of": text,
        "execution.command.target": text,
        "execution.command.arguments": [text] * 4,
        "execution.config": {text: text},
        "execution.code.git.branch": text,
        "execution.code.git.remote": text,
        "execution.code.git.changed": [text],
        "execution.code.left_out.0.path": text,
        "execution.code.left_out.0.reason": text,
        "execution.packages.interpreter.version": text,
        "execution.packages.distributions.3.name": text,
        "description.machine.os": text,
        "description.runtime.intra_op_source": text,
        "description.runtime.processor.model": text,
        "description.runtime.framework.backend_version": text,
        "description.accelerator.gpus": absent(text),
        "description.seeds.seed": text,
        "description.config": {text: [text]},
        "description.data.0.name": text,
        "description.inputs.0.path": text,
        "ending.detail": text,
    }
    manifest = rerun_manifest(bent)
    found = differences(full_manifest(), manifest)
    other = trail(diverged(), ended=False)
    return [
        record_text(text, manifest, trail(), audit(manifest, trail())),
        differences_text(text, text, found),
        verdict_text(judge(full_manifest(), trail(), manifest, other)),
        verdict_text(judge(manifest, trail(), full_manifest(), trail([]))),
        project_status_text(text, project_status(_stranger_runs(text, manifest), RULES), RULES, 2),
        prediction_text(predict(text, "by hand", text, found, rebuilt=False, unknown=(text,))),
    ]


def _stranger_runs(text: str, manifest: Manifest) -> tuple[RunStatus, ...]:
    """Return runs whose names and reasons hold this text."""
    whose = manifest.model_copy(update={"run": manifest.run.model_copy(update={"id": text})})
    return (
        run_status(f"a/b/{text}", whose, trail(), RULES, name=text, attempts={text: text}),
        status_without_record(f"a/b/{text}", RULES, name=text, state=text, why=text, recorded=True),
    )
