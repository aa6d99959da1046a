"""The version of the package, which its build and its records read."""

from __future__ import annotations

import ast
import inspect
import re

import wandb_repro
from wandb_repro import version


def test_the_package_has_the_version_of_its_file() -> None:
    assert wandb_repro.__version__ == version.__version__


def test_the_version_is_one_that_package_indexes_take() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?(\.dev\d+)?", version.__version__)


def test_a_build_reads_the_file_without_importing_anything() -> None:
    tree = ast.parse(inspect.getsource(version))

    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports == []
