"""What child processes trained while a run was recorded, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wandb_repro.recording.children.child_lines import lines_in, size_of
from wandb_repro.recording.children.handover import hand_over
from wandb_repro.recording.process_state import process

_MOST_NAMES = 4


@dataclass
class _Found:
    """Child processes by what is known of their training, and their names."""

    unrecorded: dict[int, str] = field(default_factory=dict[int, str])
    recorded: dict[int, str] = field(default_factory=dict[int, str])
    """With the names of their runs."""


class ChildTraining:
    """Training in processes that this one started, noticed from now on."""

    def __init__(self) -> None:
        hand_over()
        self._first_unwatched = len(process.unwatched.names) if process.begun else 0
        # Of the first run, also what trained before it: such a run may start at the first ``fit``.
        self._first = size_of(process.children_file) if process.begun else 0

    def notes(self) -> tuple[str, ...]:
        """Return what was noticed and not compared, with what to do."""
        found = self._found()
        notes = list(self._unwatched())
        if found.unrecorded:
            who, them = _who(list(found.unrecorded.values()))
            notes.append(
                f"{who} trained and was not compared: "
                f"call wandb_repro.init in {them}, or wandb_repro.watch"
            )
        if found.recorded:
            runs = _some(sorted(found.recorded.values()))
            notes.append(
                f"child processes have records of their own, which were not compared here ({runs}):"
                " compare each with that of the other run, with wandb-repro verify"
            )
        return tuple(notes)

    def _unwatched(self) -> Iterator[str]:
        names = process.unwatched.names[self._first_unwatched :]
        if names:
            unique = list(dict.fromkeys(names))
            yield (
                f"the script started {_some(unique)} with an environment of its own or with -I, -E "
                "or -S, so whether that trained is not known: pass env={**os.environ, ...} "
                "and keep what PYTHONPATH has"
            )

    def _found(self) -> _Found:
        path = process.children_file
        runs: dict[int, list[str]] = {}
        for line in lines_in(path):
            if "run" in line:
                runs.setdefault(line["pid"], []).append(str(line["run"]))
        found = _Found()
        for line in lines_in(path, self._first):
            if "trained" not in line:
                continue
            name, number = str(line.get("name")), line["pid"]
            if number in runs:
                found.recorded[number] = f"{name}: {', '.join(runs[number])}"
            else:
                found.unrecorded[number] = name
        return found


def _who(names: list[str]) -> tuple[str, str]:
    """Return the processes as the subject of a sentence, and the pronoun for them."""
    if len(names) == 1:
        return f"a child process ({names[0]})", "it"
    return f"each of {len(names)} child processes ({_some(sorted(names))})", "them"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
