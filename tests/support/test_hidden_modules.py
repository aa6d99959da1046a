from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.hidden_modules import ALL_MODULES, VARIABLE
from tests.support.recorded import newcomer

LINE = Path(sysconfig.get_path("purelib"), "tests_hide_modules.pth")


@pytest.mark.parametrize(
    ("shown", "expected"), [({}, "None None"), (ALL_MODULES, "not imported not imported")]
)
def test_a_process_imports_neither_unless_it_may(shown: dict[str, str], expected: str) -> None:
    if not LINE.exists():
        pytest.skip(f"{LINE.name} is missing: .ci/setup writes it")
    code = "import sys; print(*(sys.modules.get(n, 'not imported') for n in ('sklearn', 'pandas')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=newcomer(**shown),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[0] == expected


def test_the_tests_themselves_import_both() -> None:
    assert VARIABLE in newcomer()
    for name in ("sklearn", "pandas"):
        assert sys.modules.get(name, sys) is not None
