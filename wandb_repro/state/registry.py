"""Knows everything that a process made and that can be trained, without keeping it alive."""

from __future__ import annotations

import gc
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from wandb_repro.manifest.trail_records import owner_name
from wandb_repro.state.thread_order import OWN, ThreadOrder, ThreadPlace

Kind = Literal["model", "optimizer", "metric", "variable", "table", "module"]

_MOST_GONE = 1000
"""Optimizers that were collected and whose steps are still to be read."""


@dataclass
class Entry:
    """One thing, while it exists."""

    reference: weakref.ref[Any]
    number: int
    """In order of creation, from 1, among all things of its kind that its thread made."""
    place: ThreadPlace = OWN
    """The thread that made it."""
    steps: Any = None
    """Of an optimizer: the variable that counts its steps; it outlives the optimizer."""
    steps_digested: int = 0
    """Of an optimizer: its steps when its state was last digested."""


class Known(NamedTuple):
    """A thing that still exists."""

    kind: Kind
    number: int
    thing: Any
    entry: Entry

    @property
    def owner(self) -> str:
        """Its name: ``model 2``, ``model 1 of thread train#2``."""
        return owner_name(self.kind, self.number, str(self.entry.place))


class Registry:
    """Weak references to everything that can be trained, in order of creation in each thread.

    A thing is added when it is made. Nothing is searched while a training runs.
    """

    def __init__(self) -> None:
        self._entries: dict[Kind, dict[int, Entry]] = {}
        self.threads = ThreadOrder()
        """Which thread makes something."""
        self._counts: Counter[tuple[Kind, ThreadPlace]] = Counter()
        self._gone: list[Entry] = []
        self._lock = threading.RLock()
        self.searches: list[Callable[[], None]] = []
        """Find things that were made before a framework was watched; each is called once."""
        self.notes: dict[str, None] = {}
        """What keeps the record of this run from being whole, in words."""
        self.unwatched: dict[str, None] = {}
        """What this process makes without being noticed, in words."""
        self.gradients = set[str]()
        """Frameworks that computed gradients by which the script may train arrays of its own."""
        self.stateless = weakref.WeakSet[Any]()
        """Keras' optimizers that returned their new state instead of keeping it."""
        self.has_watched_state = False
        """Whether a watched loop passed the state that is in no variable."""

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()
            self.threads.begin_run()
            self.unwatched.clear()
            self._forget_run()

    def begin_run(self) -> None:
        """Number what exists from 1: a rerun may repeat only this run of the process."""
        # What an earlier run left in reference cycles is not there in such a rerun.
        gc.collect()
        with self._lock:
            self.threads.begin_run()
            self._counts.clear()
            for kind, entries in self._entries.items():
                in_order = sorted(entries.values(), key=_in_order)
                for number, entry in enumerate(in_order, 1):
                    entry.number, entry.place = number, OWN
                self._counts[kind, OWN] = len(in_order)
            self._forget_run()

    def _forget_run(self) -> None:
        """Forget what is known of one run and not of the process."""
        self._gone.clear()
        self.notes.clear()
        self.gradients.clear()
        self.stateless.clear()
        self.has_watched_state = False

    def renew_lock(self) -> None:
        """Take a new lock: a forked process may have got one that a thread held."""
        self._lock = threading.RLock()

    def add(self, kind: Kind, thing: object, *, found: bool = False) -> None:
        """Add a thing, once.

        Args:
            kind: of the thing.
            thing: the thing.
            found: whether a search found it; else the thread that calls this has made it.
        """
        place = OWN if found else self.threads.current()
        with self._lock:
            entries = self._entries.setdefault(kind, {})
            known = entries.get(id(thing))
            if known is not None and known.reference() is thing:
                return
            self._counts[kind, place] += 1
            number, key = self._counts[kind, place], id(thing)
            reference = weakref.ref(thing, lambda gone: self._forget(kind, key, gone))
            entries[key] = Entry(reference, number, place)

    def _forget(self, kind: Kind, key: int, reference: weakref.ref[Any]) -> None:
        # Called by the garbage collector, at any time: it must neither block nor read anything.
        entries = self._entries.get(kind, {})
        entry = entries.get(key)
        if entry is not None and entry.reference is reference:
            del entries[key]
            if entry.steps is not None and len(self._gone) < _MOST_GONE:
                self._gone.append(entry)

    def count_steps(self, optimizer: object, steps: object) -> None:
        """Note the variable that counts an optimizer's steps."""
        entry = self.entry_of("optimizer", optimizer)
        if entry is not None:
            entry.steps = steps

    def number_of(self, kind: Kind, thing: object) -> int:
        """Return a thing's number among those that its thread made; 0 if it is not known."""
        entry = self.entry_of(kind, thing)
        return 0 if entry is None else entry.number

    def owner_name(self, kind: Kind, thing: object) -> str:
        """Return a thing's name: ``model 1 of thread train#2``; empty if it is not known."""
        entry = self.entry_of(kind, thing)
        return "" if entry is None else owner_name(kind, entry.number, str(entry.place))

    def entry_of(self, kind: Kind, thing: object) -> Entry | None:
        """Return what is known of a thing; None if it was not added."""
        entry = self._entries.get(kind, {}).get(id(thing))
        return entry if entry is not None and entry.reference() is thing else None

    def made(self, *kinds: Kind) -> bool:
        """Tell whether anything of these kinds was made, also if it no longer exists."""
        return any(kind in kinds and count for (kind, _), count in list(self._counts.items()))

    def alive(self, kind: Kind) -> list[Known]:
        """Return all things of a kind that still exist: by thread, then in order of creation."""
        found = [
            Known(kind, entry.number, thing, entry)
            for entry in list(self._entries.get(kind, {}).values())
            if (thing := entry.reference()) is not None
        ]
        return sorted(found, key=lambda known: _in_order(known.entry))

    def steps_of_gone(self) -> list[Any]:
        """Return the variables that count the steps of optimizers that were collected."""
        return [entry.steps for entry in self._gone]

    def take_gone(self) -> Iterator[Entry]:
        """Yield optimizers that were collected since the last call, and forget them."""
        gone, self._gone = self._gone, []
        yield from gone

    def search(self) -> None:
        """Find what was made before the frameworks were watched, once."""
        searches, self.searches = self.searches, []
        for search in searches:
            search()


def _in_order(entry: Entry) -> tuple[ThreadPlace, int]:
    return entry.place, entry.number
