"""Digests of files that a record names and does not store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile

_DIGESTED_BYTES = 100 * 1024 * 1024
"""Read at most, which takes 0.1 s: the script waits for it when it ends."""


def with_digests(
    inputs: Iterable[InputFile], refused: Mapping[str, str], is_as_read: Callable[[str], bool]
) -> tuple[InputFile, ...]:
    """Return the files, in the same order, with SHA-256 and the reason why they are not stored.

    At most 100 MB are read, the smallest files first.

    Args:
        inputs: files without digests; one that has a reason already is returned unchanged.
        refused: by absolute path, why a file is not stored.
        is_as_read: whether a file still is as the run read it.
    """
    digests: dict[str, str | Unavailable] = {}
    left_bytes = _DIGESTED_BYTES
    files = list(inputs)
    # An entry with a reason already is about files that are not known.
    for file in sorted((file for file in files if not file.reason), key=_size):
        if "secret" in refused.get(file.absolute, ""):
            # A short secret can be guessed from its digest.
            digests[file.absolute] = Unavailable(unavailable="its digest could reveal a secret")
            continue
        left_bytes -= _size(file)
        digests[file.absolute] = (
            _digest(file.absolute, is_as_read)
            if left_bytes >= 0
            else Unavailable(unavailable="too large to read when the run ended")
        )
    return tuple(
        file
        if file.reason
        else file.model_copy(
            update={"digest": digests[file.absolute], "reason": refused.get(file.absolute, "")}
        )
        for file in files
    )


def _size(file: InputFile) -> int:
    return file.size_bytes if isinstance(file.size_bytes, int) else 0


def _digest(place: str, is_as_read: Callable[[str], bool]) -> str | Unavailable:
    try:
        if not is_as_read(place):
            return Unavailable(unavailable="it changed after the run read it")
        return f"sha256:{sha256_of_file(place)}"
    except OSError as error:
        return Unavailable(unavailable=f"it cannot be read: {error.strerror}")
