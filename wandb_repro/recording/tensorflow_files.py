"""Sees the folders and files that TensorFlow reads in C++, which raise no audit event.

Private functions are wrapped, below the public ones: no public function changes its identity, so
that pickling, copying and tracing are as before. Each wrapper calls the real function first.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, cast

from wandb_repro.capture.process.many_files import folders_of_many
from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.recording.follow_calls import follow
from wandb_repro.recording.import_hooks import after_import

_FILE_IO = "tensorflow.python.lib.io.file_io"
_READERS = "tensorflow.python.data.ops.readers"
_SLICES = "tensorflow.python.data.ops.from_tensor_slices_op"
_OPS = "tensorflow.python.ops.gen_io_ops"
_MOST_PATHS = 100_000
"""Paths of one call whose folders are looked at."""
_SNAPSHOTS = "tensorflow.python.data.ops.load_op"
_TRIED = 3
"""Strings of a dataset that are tried as paths."""


def watch_tensorflow(tensorflow: ModuleType) -> None:
    """Record what TensorFlow's functions list and read, until the process ends."""
    del tensorflow
    opened = OpenedFiles.of_process()

    def folder(arguments: tuple[Any, ...], _: Any) -> None:
        opened.note_listed(_text(arguments[0]))

    def found(_: tuple[Any, ...], result: Any) -> None:
        _note_folders(opened, _texts(result))

    def files(arguments: tuple[Any, ...], _: Any) -> None:
        paths = arguments[0]
        if type(paths) is str:  # as for each image of a loop
            _note_file(opened, paths)
        else:
            _note_files(opened, _texts(paths))

    def slices(arguments: tuple[Any, ...], _: Any) -> None:
        for column in _columns(arguments[0]):
            if _are_paths(column):
                _note_files(opened, _texts(column))

    native = getattr(sys.modules.get(_FILE_IO), "_pywrap_file_io", None)
    follow(native, "GetChildren", folder)
    follow(native, "GetMatchingFiles", found)
    follow(native, "BufferedInputStream", files)
    operations = sys.modules.get(_OPS)
    follow(operations, "matching_files", found)
    follow(operations, "read_file", files)
    follow(sys.modules.get(_READERS), "_create_or_validate_filenames_dataset", files)
    follow(sys.modules.get(_SLICES), "_from_tensor_slices", slices)
    after_import(_SNAPSHOTS, lambda module: follow(module, "_load", folder))


def note_pipelines(values: Iterable[object]) -> None:
    """Record the files of the ``tf.data`` pipelines among some values, and their folders.

    A pipeline may have been made before anything was watched.
    """
    from wandb_repro.capture.dataset.pipelines import is_tf_data, upstream  # only when training

    opened = OpenedFiles.of_process()
    for value in values:
        for step in upstream(value) if is_tf_data(value) else ():
            for column in getattr(step, "_tensors", ()):  # of a step that yields slices of tensors
                if _are_paths(column[:_TRIED]):  # not all of a million sentences
                    _note_files(opened, _texts(column))


def _note_folders(opened: OpenedFiles, paths: Iterable[str]) -> None:
    """Record the folders of files, each once."""
    seen = set[str]()
    for path in paths:
        folder = posixpath.dirname(path) or ("/" if path == "/" else ".")
        if folder not in seen:
            seen.add(folder)
            opened.note_listed(folder)


def _note_files(opened: OpenedFiles, paths: Iterable[str]) -> None:
    """Record files one by one, or their folders if there are many."""
    known = list(paths)
    folders = folders_of_many(known)
    _note_folders(opened, (f"{folder}/" for folder in folders))
    for path in known:
        if posixpath.dirname(path) not in folders:
            _note_file(opened, path)


def _note_file(opened: OpenedFiles, path: str) -> None:
    with contextlib.suppress(OSError):  # TensorFlow itself raises it, where it reads the file
        if "://" not in path:
            opened.note_opened(path)


def _columns(element: Any) -> Iterable[Any]:
    """Return the parts of a dataset's element: ``(paths, labels)``, or the element itself."""
    if isinstance(element, tuple):
        return cast("tuple[Any, ...]", element)
    return cast("dict[Any, Any]", element).values() if isinstance(element, dict) else (element,)


def _are_paths(column: Any) -> bool:
    """Return whether the first strings of a column are files on this disk."""
    first = [text for text, _ in zip(_texts(column), range(_TRIED), strict=False)]
    return bool(first) and all(os.path.isfile(text) for text in first)  # noqa: PTH113


def _texts(value: Any) -> Iterator[str]:
    """Yield the local paths among the strings of a list, an array or an eager tensor."""
    if isinstance(value, (str, bytes, os.PathLike)):
        value = [value]
    elif getattr(value, "dtype", None) is not None:
        value = _array(value)
    if not isinstance(value, (list, tuple)):
        return
    for number, item in enumerate(cast("list[Any]", value)):
        if number >= _MOST_PATHS or not isinstance(item, (str, bytes, os.PathLike)):
            return
        if "://" not in (text := _text(item)):
            yield text


def _array(value: Any) -> list[Any] | None:
    """Return an array of strings, flat; None for numbers and for tensors without a value."""
    kind = str(getattr(value.dtype, "name", value.dtype))
    if kind != "string" and not kind.startswith(("object", "str", "bytes")):
        return None
    read = getattr(value, "numpy", None)
    # A tensor that is traced has no value; its dtype is TensorFlow's.
    if kind == "string" and read is None:
        return None
    array = value if read is None else read()
    if isinstance(array, bytes):
        return [array]
    return array.reshape(-1)[:_MOST_PATHS].tolist() if hasattr(array, "reshape") else None


def _text(path: Any) -> str:
    return os.fsdecode(path)
