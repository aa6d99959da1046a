"""``demo``: records, reruns and verifies a small training, offline, without an account."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import click
from rich.text import Text

import wandb_repro.demo
from wandb_repro.cli.common import Output, answers, check_new_folder, json_option
from wandb_repro.cli.demo_log import our_lines
from wandb_repro.errors import RefusedError, TrainingFailedError
from wandb_repro.files import CACHE_VARIABLE
from wandb_repro.manifest.manifest import run_name
from wandb_repro.manifest.switches import RESTORED, THREADS_VARIABLE
from wandb_repro.recording.message_handler import SILENT_VARIABLE
from wandb_repro.report.verdict import verdict_text
from wandb_repro.rerun.environment.uv import find_uv
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest
from wandb_repro.store.locate import locate
from wandb_repro.verify.verdict import Verdict
from wandb_repro.workflows.prepare_rerun import prepare
from wandb_repro.workflows.rerun import Outcome, carry_out
from wandb_repro.workflows.rerun_options import RerunOptions

_THREADS = 2
_NEEDED = ("keras", "tensorflow", "sklearn")
_QUIET = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    SILENT_VARIABLE: "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_SWITCHES = {
    # TensorFlow's default follows the processor, and oneDNN's kernels may give the same bits on
    # one thread as on two: act 3 would show nothing.
    "TF_ENABLE_ONEDNN_OPTS": "0",
    THREADS_VARIABLE: str(_THREADS),
}
_REBUILD = RerunOptions(environment="rebuild", use_cache=False)
"""Without the cache, so that the demo leaves nothing there."""
_FOREIGN = ("WANDB_", "GIT_")
"""Variables that point W&B and git at a different project."""


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="New folder to work in, which is kept. Without it, everything is deleted at the end.",
)
@json_option
@answers
def command(folder: Path | None, as_json: bool) -> int:
    """Record a training, move its project away, rerun it; cause a difference, and fix it."""
    _check_installed()
    place = _new_folder(folder)
    _forget_other_projects()
    story = _Story(place, Output(as_json=as_json))
    started = time.monotonic()
    verdicts = story.tell()
    took_s = time.monotonic() - started
    if as_json:
        story.output.report("", [verdict.model_dump(mode="json") for verdict in verdicts])
    code = _judge(verdicts, story.output)
    if folder is None and not code:
        shutil.rmtree(place, ignore_errors=True)
        story.output.tell(Text(f"\nTook {took_s:.0f} s. All files are deleted; --dir keeps them."))
    else:
        story.output.tell(Text(f"\nTook {took_s:.0f} s. You can delete this folder:"))
        story.output.progress(str(place))
    return code


def _forget_other_projects() -> None:
    for name in list(os.environ):
        if (name.startswith(_FOREIGN) or name in RESTORED) and name != CACHE_VARIABLE:
            del os.environ[name]
    os.environ.update(_QUIET)


def _check_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise RefusedError(
            f"The demo needs {', '.join(missing)}: not installed.",
            hint="Install it: pip install 'wandb-repro[demo]'.",
        )
    find_uv()


def _new_folder(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="wandb-repro-demo-"))
    path = check_new_folder(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _judge(verdicts: tuple[Verdict, ...], output: Output) -> int:
    grades = tuple(verdict.grade for verdict in verdicts)
    if grades == ("identical", "diverged", "identical"):
        return 0
    output.tell(
        Text(
            f"On this machine the verdicts were {', '.join(grades)}; "
            "expected: identical, diverged, identical.",
            style="bold yellow",
        )
    )
    return 1


class _Story:
    """Four acts; each prints what it does and its result."""

    def __init__(self, place: Path, output: Output) -> None:
        self.place = place
        self.output = output

    def tell(self) -> tuple[Verdict, ...]:
        """Run all acts and return the three verdicts."""
        project = self.place / "project"
        self._title(1, "Record a training. network.py was never committed.")
        capsule = self._recorded(project)
        self._title(2, "Move the project away; rerun it in a new folder and environment.")
        project.rename(self.place / "moved-away")
        capsule = Capsule(self.place / "moved-away" / capsule.folder.relative_to(project))
        rebuilt = self._rerun(capsule, "rebuilt", _REBUILD)
        python = rebuilt.work / "env" / "bin" / "python"
        self._title(3, "Rerun on one thread. Watch the losses, then the verdict.")
        same = RerunOptions(environment=str(python), keep_going=True)
        broken = self._rerun(capsule, "one-thread", replace(same, threads=1))
        self._title(4, "Apply the fix: the recorded number of threads.")
        cured = self._rerun(capsule, "cured", replace(same, threads=_THREADS))
        return tuple(outcome.verdict for outcome in (rebuilt, broken, cured))

    def _title(self, number: int, text: str) -> None:
        self.output.tell(Text(f"\n{number}  {text}", style="bold"))

    def _recorded(self, project: Path) -> Capsule:
        _write_project(project)
        switches = " ".join(f"{name}={value}" for name, value in _SWITCHES.items())
        self.output.tell(Text(f"   $ {switches} python train.py"))
        with self._training() as output:
            done = subprocess.run(
                [sys.executable, "train.py"],
                cwd=project,
                env={**os.environ, **_SWITCHES},
                stdout=output,
                stderr=output,
                check=False,
            )
            if done.returncode:
                raise TrainingFailedError(
                    f"The demo's training ended with exit code {done.returncode}.",
                    hint="Its log says why.",
                    returncode=done.returncode,
                )
        capsule = locate(str(project / "wandb" / "latest-run"), self.place).capsule
        self.output.tell(Text(f"   recorded as {run_name(read_manifest(capsule))}"))
        return capsule

    def _rerun(self, capsule: Capsule, name: str, options: RerunOptions) -> Outcome:
        prepared = prepare(capsule, self.place / name, options)
        with self._training() as output:
            outcome = carry_out(prepared, self.output.progress, output=output)
            if outcome.failure is not None:
                raise outcome.failure
        self.output.tell(verdict_text(outcome.verdict))
        return outcome

    @contextlib.contextmanager
    def _training(self) -> Generator[int]:
        """Yield the file descriptor for a training's output; name the log if it fails."""
        log = self.place / "trainings.log"
        try:
            with our_lines(log, lambda line: click.echo(line, err=True)) as output:
                yield output
        except TrainingFailedError:
            self.output.progress(f"Output of the trainings: {log}")
            raise


def _write_project(project: Path) -> None:
    """Make a repository whose one commit holds the script and not the network."""
    source = Path(wandb_repro.demo.__file__).parent
    project.mkdir()
    shutil.copyfile(source / "train.py", project / "train.py")
    _git(project, "init", "--quiet")
    _git(project, "add", "train.py")
    _git(project, *_ADA, "commit", "--quiet", "--message", "Train on digits")
    shutil.copyfile(source / "network.py", project / "network.py")


_ADA = (
    *("-c", "user.name=Ada", "-c", "user.email=ada@example.com"),
    *("-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"),
)
"""The author, and options that turn the user's own git settings off."""


def _git(project: Path, *words: str) -> None:
    try:
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RefusedError(
            f"git {words[0]} failed: {error}.", hint="The demo needs git on PATH."
        ) from error
