"""The fresh process, ``python -m wandb_repro.testing.fresh_child TASK``: trains as TASK says."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType

from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.watch_creation import watch_creation
from wandb_repro.testing.final_state import record_all_state, record_result
from wandb_repro.testing.fresh_task import FAILURE, INSIDE, Task
from wandb_repro.testing.process_recorder import ProcessRecorder


def main(path: str) -> None:
    """Train as the task in this file says, and record the weights."""
    task = Task.model_validate_json(Path(path).read_bytes())
    sys.path[:] = task.search
    sys.argv = [task.target.file]
    os.environ[INSIDE] = "1"
    seeding = Seeding(task.seed, asked=task.seed, deterministic=task.deterministic, drawn=False)
    if task.seed is None:
        seeding.switch_on(task.deterministic)
    else:
        seeding.apply()
    recorder = ProcessRecorder(task, seeding)

    def watch(keras: ModuleType) -> None:
        from wandb_repro.testing.fit_watcher import watch_every_fit

        watch_every_fit(keras, recorder, goes_on=task.goes_on)

    after_import("keras", watch)
    watch_creation()
    try:
        _train(task, recorder)
    except RerunStopped:
        recorder.end("interrupted")
    except SystemExit as error:
        recorder.end("failed" if error.code else "finished")
        raise
    except BaseException as error:  # noqa: BLE001 - any error is reported
        recorder.end("failed")
        _report(error, Path(task.folder))
        sys.exit(1)
    else:
        recorder.end("finished")


def _train(task: Task, recorder: ProcessRecorder) -> None:
    train = task.target.load()
    result = train(Path(task.checkpoints)) if task.checkpoints else train()
    if task.judges_result or not recorder.fits:
        record_result(result, recorder)
    if task.judges_result:
        # What it returned is still here, so that it is read too if it was made while watched.
        record_all_state(recorder)


def _report(error: BaseException, folder: Path) -> None:
    """Print the error that ended the training, with the traceback of the user's code."""
    traceback.print_exception(type(error), error, _of_the_user(error.__traceback__))
    last = traceback.format_exception_only(type(error), error)[-1].strip()
    (folder / FAILURE).write_text(last, encoding="utf-8")


def _of_the_user(entry: TracebackType | None) -> TracebackType | None:
    ours = str(Path(__file__).parent)
    while entry is not None:
        file = entry.tb_frame.f_code.co_filename
        if not file.startswith((ours, "<frozen")):
            return entry
        entry = entry.tb_next
    return None


if __name__ == "__main__":
    main(sys.argv[1])
