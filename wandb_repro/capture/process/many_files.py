"""Tells files that were read one by one from folders of which many files were read."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable

_MANY = 20
"""Files of one folder, or of the folders in it, that count as reading the folders."""


def folders_of_many(paths: Iterable[str]) -> frozenset[str]:
    """Return the folders of files that were read as part of many; ``""`` is the current one.

    Twenty files of ``train/cat`` are many, and so are two files of each of ten folders in
    ``train``: the result has these folders, not ``train`` itself.
    """
    count = Counter(map(posixpath.dirname, paths))
    around = Counter[str]()
    for folder, number in count.items():
        around[posixpath.dirname(folder)] += number
    return frozenset(
        folder
        for folder, number in count.items()
        if number >= _MANY or around[posixpath.dirname(folder)] >= _MANY
    )
