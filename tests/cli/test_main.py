from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.recorded import Ask
from wandb_repro.version import __version__


def test_every_command_is_named_and_the_exit_codes_are_told(tmp_path: Path, ask: Ask) -> None:
    answer = ask("--help", cwd=tmp_path)
    assert answer.code == 0
    for name in ("demo", "run", "show", "check", "diff", "rerun", "verify", "export"):
        assert f" {name} " in answer.out
        assert ask(name, "--help", cwd=tmp_path).code == 0
    for code in ("0 identical", "1 diverged", "2 usage error", "3 inconclusive", "4 refused"):
        assert code in answer.text


def test_the_version_is_told(tmp_path: Path, ask: Ask) -> None:
    assert ask("--version", cwd=tmp_path).text == f"wandb-repro, version {__version__}"


@pytest.mark.parametrize("words", [["nonsense"], ["show"], ["rerun", "x", "--nonsense"]])
def test_wrong_words_are_wrong_use(words: list[str], tmp_path: Path, ask: Ask) -> None:
    answer = ask(*words, cwd=tmp_path)
    assert answer.code == 2
    assert answer.out == ""


def test_help_starts_at_once_without_wandb_git_or_a_framework() -> None:
    code = (
        "import json, sys\n"
        "from click.testing import CliRunner\n"
        "from wandb_repro.cli.main import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "print(json.dumps(sorted(set(sys.modules) & {'wandb', 'git', 'keras', 'numpy', 'rich'})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout) == []
