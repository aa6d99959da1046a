"""Python imports this when a process starts that a recorded process started.

It awaits the import of a framework, and then has each training noted; nothing else is changed. A
``sitecustomize`` of the user's is imported as without this one. It needs nothing but the standard
library: the process may be of another environment, in which this package is not installed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_VARIABLE = "_WANDB_REPRO_CHILDREN"
_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import


class FrameworkWatch:
    """Finds the frameworks as any other finder does, and acts when one was imported.

    Args:
        path: of the file in which training is noted.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._awaited = {"tensorflow", "keras", "tf_keras", "torch", "jax", "optax"}
        self._searching = False

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Return what the other finders find; for a framework, with an action after its import."""
        if fullname not in self._awaited or self._searching:
            return None
        self._searching = True
        try:
            others: list[Any] = [finder for finder in sys.meta_path if finder is not self]
            found = (finder.find_spec(fullname, path, target) for finder in others)
            spec = next((spec for spec in found if spec is not None), None)
        finally:
            self._searching = False
        if spec is not None and spec.loader is not None:
            self._act_after(spec.loader)
        return spec

    def _act_after(self, loader: Any) -> None:
        real = loader.exec_module

        def exec_module(module: Any) -> None:
            del loader.exec_module
            real(module)
            self._imported(module)

        loader.exec_module = exec_module

    def _imported(self, library: Any) -> None:
        self._awaited.discard(library.__name__)
        try:
            hooks, lines = _load("step_hooks"), _load("child_lines")
            hooks.hook_training(library, lines.TrainingLines(self._path))
        except Exception as error:  # noqa: BLE001 - the user's program goes on as without us
            # Its training would otherwise be missed without a word.
            sys.stderr.write(f"wandb_repro: training in this process is not noticed: {error}\n")


def _load(name: str) -> Any:
    """Return a module beside this folder, without the package around it."""
    full = "wandb_repro_" + name
    if full not in sys.modules:
        from importlib.util import module_from_spec, spec_from_file_location

        spec: Any = spec_from_file_location(full, os.path.join(_FOLDER, "..", name + ".py"))  # noqa: PTH118
        sys.modules[full] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


def _stand_ready() -> None:
    try:
        given = json.loads(os.environ[_VARIABLE])
        if given["pid"] != os.getpid():
            sys.meta_path.insert(0, FrameworkWatch(given["file"]))
    except (KeyError, ValueError, TypeError):
        return


def _import_users() -> None:
    """Import the ``sitecustomize`` that would be found without ours, if there is one."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _FOLDER]  # noqa: PTH100
    ours = sys.modules.pop(__name__)
    try:
        import sitecustomize  # pyright: ignore[reportUnusedImport, reportMissingImports]  # noqa: F401
    except ImportError as error:
        sys.modules[__name__] = ours
        if error.name != __name__:
            raise


if __name__ == "sitecustomize":
    _stand_ready()
    _import_users()
