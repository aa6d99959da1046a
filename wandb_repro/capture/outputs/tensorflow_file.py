"""Reads TensorFlow's checkpoints, which SavedModels hold too: tensors by name.

The bytes differ between equal models: the order in which Keras' ``export`` stores its variables
follows Python's hash seed, and so does the description of the objects.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb_repro.capture.outputs.contents import Contents, Part, by_parts, bytes_digest
from wandb_repro.capture.outputs.output_budget import OutputBudget

DATA = ".data-00000-of-00001"
INDEX = ".index"

_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
_UNORDERED = re.compile(r"^_all_variables/\d+/")
"""Keras keeps all variables of an exported model in a set: their numbers mean nothing."""


def checkpoint_contents(path: Path, budget: OutputBudget) -> Contents | None:
    """Return what one of the two files of a checkpoint holds, by tensors.

    Args:
        path: of the file with the values, or of the index beside it.
        budget: what may be read.

    Returns:
        None for any other file, and where TensorFlow, which wrote it, was not imported.

    Raises:
        DigestError: it is more than the budget.
    """
    suffix = next((each for each in (DATA, INDEX) if path.name.endswith(each)), "")
    prefix = str(path).removesuffix(suffix)
    tensorflow: Any = sys.modules.get("tensorflow")
    both = suffix and all(Path(f"{prefix}{each}").is_file() for each in (DATA, INDEX))
    if not both or not hasattr(tensorflow, "train"):
        return None
    try:
        reader = tensorflow.train.load_checkpoint(prefix)
        return by_parts("tensorflow", _parts(reader, budget, values=suffix == DATA))
    except (tensorflow.errors.OpError, RuntimeError, ValueError, UnicodeDecodeError):
        return None  # damaged: it is digested by its bytes


def _parts(reader: Any, budget: OutputBudget, *, values: bool) -> Iterator[Part]:
    dtypes, shapes = reader.get_variable_to_dtype_map(), reader.get_variable_to_shape_map()
    for name, shape in shapes.items():
        if name == _OBJECTS:
            continue
        budget.take_member()
        header = f"{dtypes[name].name}\0{shape}\0"
        content = _bytes_of(reader.get_tensor(name)) if values else b""
        budget.take(len(content))
        yield Part(_UNORDERED.sub("_all_variables/", name), bytes_digest(content, header))


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return repr(value.tolist()).encode() if value.dtype.hasobject else value.tobytes()
