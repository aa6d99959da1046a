"""Configs of models: what is compared of their JSON."""

from __future__ import annotations

import json
from typing import cast

from wandb_repro.capture.outputs.contents import bytes_digest
from wandb_repro.manifest.canonical import JSON

MOST_CONFIG_BYTES = 64 << 20

_NOT_COMPARED = frozenset({"date_saved"})
"""Keys of ``metadata.json`` in a ``.keras`` file that hold the time."""


def config_digest(text: bytes) -> str:
    """Return the digest of a config; text that is not JSON is digested by its bytes."""
    try:
        config: JSON = _Config().compared(json.loads(text))
        canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return bytes_digest(text)
    return bytes_digest(canonical.encode("utf-8", "surrogatepass"), "json\0")


class _Config:
    """Replaces what differs between two processes by what does not."""

    def __init__(self) -> None:
        self._ids: dict[object, int] = {}

    def compared(self, value: object) -> JSON:
        if isinstance(value, list):
            return [self.compared(item) for item in cast("list[object]", value)]
        if not isinstance(value, dict):
            return cast("JSON", value)
        items = cast("dict[str, object]", value)
        left_out = _NOT_COMPARED | _of_lambda(items)
        return {
            key: self._number(item) if key == _SHARED_ID else self.compared(item)
            for key, item in items.items()
            if key not in left_out
        }

    def _number(self, shared_id: object) -> int:
        """Return a number for an object that occurs more than once, in order of occurrence."""
        return self._ids.setdefault(str(shared_id), len(self._ids))


_SHARED_ID = "shared_object_id"
"""Key whose value is an address in memory. Source: keras/src/saving/serialization_lib.py."""


def _of_lambda(items: dict[str, object]) -> frozenset[str]:
    """Return the key of a Lambda layer's byte code, which holds the path of its source file."""
    # A rerun has its source tree at another path. The source itself is compared as code.
    # Source: keras/src/utils/python_utils.py func_dump, Keras 3.15: ``marshal`` of a code object,
    # under ``code`` beside ``defaults`` and ``closure``; in HDF5 files of Keras 2 a list of these.
    return frozenset({"code"}) if {"code", "defaults", "closure"} <= items.keys() else frozenset()
