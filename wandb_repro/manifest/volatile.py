"""Names of logged values that cannot be the same twice: clocks, speeds, memory, ids, paths.

The rule: split a name at ``/`` and ``.``; it is volatile if the last word of a part, units aside,
is one of ``VOLATILE_WORDS``, if a part contains ``per_sec``, or if it is a unit of time, alone or
after the name of a phase. So ``time/epoch``, ``step_time_ms``, ``gpu_mem``, ``seconds`` and
``epoch_seconds`` are volatile; ``time_series_mae`` and ``mae_seconds`` are not. Names that begin
with ``_`` are W&B's own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

VOLATILE_WORDS = frozenset(
    {
        *("time", "timestamp", "datetime", "date", "clock", "duration", "elapsed", "runtime"),
        *("eta", "latency", "walltime", "uptime"),
        *("speed", "throughput", "fps", "ips"),
        *("memory", "mem", "ram", "vram", "rss", "utilization"),
        *("pid", "hostname", "host", "uuid", "run_id", "runid"),
        *("path", "dir", "folder", "cwd"),
        *("started_at", "created_at", "updated_at", "saved_at", "finished_at", "ended_at"),
    }
)
"""Last words of a name whose value depends on when or where a run takes place."""

_UNITS = frozenset(
    {"s", "sec", "secs", "seconds", "ms", "us", "ns", "min", "minutes", "h", "hours"}
)
_SIZES = frozenset({"b", "kb", "mb", "gb", "kib", "mib", "gib", "bytes", "percent", "pct"})
_SPANS = frozenset({"sec", "secs", "seconds", "minutes", "hours"})
"""Units of time that name nothing else; ``ms`` alone may be a mean square."""
_SHORT_SPANS = frozenset({"ms", "us", "ns"})
_PHASES = frozenset(
    {
        *("epoch", "step", "batch", "iteration", "iter", "fit", "run"),
        *("train", "training", "eval", "evaluation", "validation", "inference"),
    }
)
"""What a number of seconds after it was spent on; after other words it may be a result."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_RATE = re.compile(r"(?:^|[^a-z])per_?(?:sec|second|s|minute|hour)(?:[^a-z]|$)")


def is_volatile(name: str, patterns: Sequence[str] = ()) -> bool:
    """Tell whether the value under this name is expected to differ in every run.

    Args:
        name: a logged key, such as ``epoch/epoch_time``; nested keys joined by dots.
        patterns: further names, as the shell writes them: ``debug/*``.
    """
    return _by_rule(name) or any(fnmatchcase(name, pattern) for pattern in patterns)


@functools.lru_cache(maxsize=4096)
def _by_rule(name: str) -> bool:
    if name.startswith("_"):
        return True
    return any(_is_volatile_part(part) for part in re.split(r"[/.]", name))


def _is_volatile_part(part: str) -> bool:
    if _RATE.search(part.lower()):
        return True
    words = [word.lower() for word in _WORD.findall(part)]
    spans = _SPANS | _SHORT_SPANS if words[1:] else _SPANS
    if words and words[-1] in spans and _PHASES.issuperset(words[:-1]):
        return True
    while len(words) > 1 and words[-1] in _UNITS | _SIZES:
        words.pop()
    if not words:
        return False
    return words[-1] in VOLATILE_WORDS or "_".join(words[-2:]) in VOLATILE_WORDS
