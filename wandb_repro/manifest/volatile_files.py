"""Names of saved files that cannot be the same twice, and what of a name cannot be.

The rule: logs, profiles and TensorBoard's events; ``.svg`` and ``.pdf``, which hold the time and
random ids; of a SavedModel ``fingerprint.pb``, a random id, and ``saved_model.pb``, whose nodes
Keras' ``export`` numbers by Python's hash seed; and names whose last word says so:
``train_time.json``. A time, a UUID or the run's id inside a name does not count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

VOLATILE_SUFFIXES = frozenset(
    {
        *(".log", ".tmp", ".lock", ".pid"),
        *(".prof", ".trace", ".nsys-rep", ".pb_trace"),
        *(".svg", ".pdf"),
    }
)

VOLATILE_FILES = (
    "*events.out.tfevents.*",
    "*.trace.json.gz",
    "*.xplane.pb",
    "*.profile-empty",
    "fingerprint.pb",
    "saved_model.pb",
)
"""Names as the shell writes them."""

VOLATILE_WORDS = frozenset(
    {"time", "times", "timing", "timings", "timestamp", "duration", "host", "hostname", "pid"}
)
"""Last words of a name, without what follows its last dot."""

_LAST_WORD = re.compile(r"[-_. ]")

_TIME = re.compile(
    r"(?<!\d)(?:19|20)\d\d([-_.]?)[01]\d\1[0-3]\d"
    r"(?:[-_.T@ ]{0,3}[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d(?:[.,]\d+)?)?)?Z?(?!\d)"
    r"|(?<!\d)1[5-9]\d{8}(?:\d{3})?(?:\.\d+)?(?!\d)"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s[A-Z][a-z]{2}\s[\s0-3]\d\s[0-2]\d:[0-5]\d:[0-5]\d\s(?:19|20)\d\d"
)
"""A date with or without a time, seconds or milliseconds since 1970, or what ``ctime`` returns."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MEDIA_DIGEST = re.compile(r"_[0-9a-f]{20}(?=\.)")
"""Part of the name of a file of W&B's media: of its content's digest."""


def is_volatile_file(path: str, patterns: Sequence[str] = ()) -> bool:
    """Tell whether the file under this path is expected to differ in every run.

    Args:
        path: with slashes.
        patterns: further paths or names of files, as the shell writes them: ``plots/*``.
    """
    name = PurePosixPath(path).name
    if any(fnmatchcase(path, pattern) or fnmatchcase(name, pattern) for pattern in patterns):
        return True
    if any(fnmatchcase(name, pattern) for pattern in VOLATILE_FILES):
        return True
    stem = name.rpartition(".")[0] or name
    suffix = PurePosixPath(name).suffix.lower()
    return suffix in VOLATILE_SUFFIXES or _LAST_WORD.split(stem.lower())[-1] in VOLATILE_WORDS


def differ_in_time(original: str, rerun: str, ids: tuple[str, str] = ("", "")) -> bool:
    """Tell whether two texts differ only in times, UUIDs and the ids of their runs.

    Example:
        >>> differ_in_time("digits 2026-11-30", "digits 2026-12-01")
        True
    """
    left, right = map(repeatable_name, (original, rerun), ids)
    return original != rerun and left == right


def repeatable_name(path: str, run_id: str = "") -> str:
    """Return a path without what differs in every run: its id, times and UUIDs.

    Example:
        >>> repeatable_name("run-k3v9x2ab/m_20261130-0635.keras", "k3v9x2ab")
        'run-RUN/m_TIME.keras'
    """
    if run_id:  # as a word: an id may be a single letter
        path = re.sub(rf"(?<![0-9A-Za-z]){re.escape(run_id)}(?![0-9A-Za-z])", "RUN", path)
    path = _TIME.sub("TIME", _UUID.sub("UUID", path))
    return _MEDIA_DIGEST.sub("_DIGEST", path) if path.startswith("media/") else path
