from __future__ import annotations

import ast
from pathlib import Path

from wandb_repro.keras import callback
from wandb_repro.recording.seeding import Seeding
from wandb_repro.testing.fresh_task import Task
from wandb_repro.testing.process_recorder import Notes
from wandb_repro.testing.target import Target


def _asked_of_the_session() -> set[str]:
    """Return the names that the callback asks its session for."""
    tree = ast.parse(Path(str(callback.__file__)).read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in _SESSION
    }


_SESSION = ("session", "self._session")


def test_notes_answer_all_that_the_callback_asks_a_session(tmp_path: Path) -> None:
    asked = _asked_of_the_session()
    assert asked > {"begin_fit", "weights", "losses", "end_fit", "options", "fits"}
    target = Target(module="m", file="m.py", name="train", arguments=[], keywords={})
    task = Task(
        target=target, search=[], folder=str(tmp_path), who="me", seed=None, deterministic=None
    )
    seeding = Seeding(None, asked=None, deterministic=None, drawn=False)
    notes = Notes(task, seeding)
    assert not {name for name in asked if not hasattr(notes, name)}
