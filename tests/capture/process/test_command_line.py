from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wandb_repro.capture.process.command_line import Invocation, parse


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python a.py x -m", Invocation((), "script", "a.py", ("x", "-m"))),
        ("python -m pkg.mod -c", Invocation((), "module", "pkg.mod", ("-c",))),
        ("python -mpkg x", Invocation((), "module", "pkg", ("x",))),
        ("python -c pass x", Invocation((), "code", "pass", ("x",))),
        ("python -u -O a.py", Invocation(("-u", "-O"), "script", "a.py", ())),
        ("python -OO a.py", Invocation(("-O", "-O"), "script", "a.py", ())),
        ("python -W error a.py", Invocation(("-W", "error"), "script", "a.py", ())),
        ("python -Werror a.py", Invocation(("-W", "error"), "script", "a.py", ())),
        (
            "python -X utf8 -Xdev a.py",
            Invocation(("-X", "utf8", "-X", "dev"), "script", "a.py", ()),
        ),
        ("python -Im pkg x", Invocation(("-I",), "module", "pkg", ("x",))),
        ("python -ImPkg x", Invocation(("-I",), "module", "Pkg", ("x",))),
        ("python -OWerror a.py", Invocation(("-O", "-W", "error"), "script", "a.py", ())),
        ("python -i a.py", Invocation((), "script", "a.py", ())),
        ("python -iu a.py", Invocation(("-u",), "script", "a.py", ())),
        ("python -- a.py", Invocation((), "script", "a.py", ())),
        ("python -u -- -a.py x", Invocation(("-u",), "script", "-a.py", ("x",))),
        (
            "python --check-hash-based-pycs always a.py",
            Invocation(("--check-hash-based-pycs", "always"), "script", "a.py", ()),
        ),
        ("python - x", Invocation((), "stdin", "-", ("x",))),
        ("python", Invocation((), "interactive", "", ())),
        ("python -i", Invocation((), "interactive", "", ())),
        ("python -m", Invocation((), "module", "", ())),
        ("python -X", Invocation(("-X", ""), "interactive", "", ())),
        ("python --version", Invocation(("--version",), "interactive", "", ())),
        (
            "python -O -m wandb_repro.launch a.py -x",
            Invocation(("-O",), "script", "a.py", ("-x",), launcher=True),
        ),
        (
            "python -m wandb_repro.launch -m pkg.mod x",
            Invocation((), "module", "pkg.mod", ("x",), launcher=True),
        ),
        (
            "python -m wandb_repro.launch -c pass x",
            Invocation((), "code", "pass", ("x",), launcher=True),
        ),
        ("python -m wandb_repro.launch", Invocation((), "interactive", "", (), launcher=True)),
    ],
)
def test_a_command_line_is_taken_apart(line: str, expected: Invocation) -> None:
    assert parse(line.split()) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["-u"], ("-u",)),
        (["-OOu"], ("-O", "-O", "-u")),
        (["-Xutf8", "-BW", "ignore"], ("-X", "utf8", "-B", "-W", "ignore")),
    ],
)
def test_it_reads_what_this_interpreter_does(
    tmp_path: Path, flags: list[str], expected: tuple[str, ...]
) -> None:
    script = tmp_path / "say.py"
    script.write_text("import sys; print('\\n'.join(sys.orig_argv))")
    done = subprocess.run(
        [sys.executable, *flags, str(script), "a", "-m"], capture_output=True, text=True, check=True
    )
    found = parse(done.stdout.splitlines())
    assert found == Invocation(expected, "script", str(script), ("a", "-m"))
