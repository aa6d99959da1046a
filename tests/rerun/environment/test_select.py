from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.capture.packages.repack import repack_all
from wandb_repro.errors import RebuildError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.select import Choice, choose

_HERE = Path(sys.executable)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="module")
def recorded(wheels: Path) -> Packages:
    """What a run in this very environment records."""
    found = probe_packages(Host())
    assert isinstance(found, Packages)
    return repack_all(Host(), found, wheels)


def _without(packages: Packages, count: int) -> Packages:
    kept = packages.distributions[count:]
    return packages.model_copy(update={"distributions": kept})


def _choice(
    packages: Packages, wheels: Path, told: str = "auto", base: Path | None = None
) -> Choice:
    return choose(packages, wheels, told, base)


def test_the_environment_at_hand_is_used_when_its_record_is_equal(
    recorded: Packages, wheels: Path
) -> None:
    choice = _choice(recorded, wheels)
    assert (choice.python, choice.inequalities, choice.base) == (_HERE, (), None)
    assert choice.reason == "the current one: its record equals the original's"


@pytest.mark.parametrize(("count", "words"), [(1, "is different"), (5, "and 2 more are different")])
def test_a_new_one_is_made_when_it_is_not_and_why_is_told(
    count: int, words: str, recorded: Packages, wheels: Path
) -> None:
    choice = _choice(_without(recorded, count), wheels)
    first = recorded.distributions[0].name
    assert choice.python is None
    assert choice.reason.startswith(f"a new one, since here {first}")
    assert choice.reason.endswith(words)
    assert choice.base is not None
    assert choice.base.version == recorded.interpreter.version


def test_a_new_one_is_made_when_asked_or_when_an_interpreter_is_named(
    recorded: Packages, wheels: Path
) -> None:
    for told, base in (("rebuild", None), ("auto", _HERE), ("rebuild", _HERE)):
        choice = _choice(recorded, wheels, told, base)
        assert (choice.python, choice.reason) == (None, "a new one, as requested")


def test_the_one_at_hand_is_used_as_it_is_when_asked_and_says_what_differs(
    recorded: Packages, wheels: Path
) -> None:
    choice = _choice(_without(recorded, 1), wheels, "here")
    first = recorded.distributions[0].name
    assert choice.python == _HERE
    assert [(one.name, one.what) for one in choice.inequalities] == [(first, "extra")]
    assert choice.reason.endswith(f"not the original's, since here {first} is different")


def test_what_has_no_record_is_not_called_different(recorded: Packages, wheels: Path) -> None:
    first, *others = recorded.distributions
    unknown = first.model_copy(update={"record_digest": Unavailable(unavailable="conda's")})
    packages = recorded.model_copy(update={"distributions": (unknown, *others)})
    reason = _choice(packages, wheels, "here").reason
    assert reason.endswith(
        f"not known to be the original's, since here {first.name} cannot be compared"
    )
    assert _choice(packages, wheels).reason.endswith(f"since here {first.name} cannot be compared")
    later, *rest = others
    changed = later.model_copy(update={"version": "0.0.1"})
    both = recorded.model_copy(update={"distributions": (unknown, changed, *rest)})
    reason = _choice(both, wheels, "here").reason
    assert reason.endswith(f"since here {later.name}, {first.name} are different")


def test_an_interpreter_is_found_by_its_path_or_its_name(
    recorded: Packages, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(_HERE.parent))
    for told in (str(_HERE), _HERE.name):
        assert _choice(recorded, wheels, told).python == _HERE.parent / _HERE.name


@pytest.mark.parametrize("told", ["/", "./notes.txt", "no-such-python", ""])
def test_what_is_no_interpreter_is_wrong_use(
    told: str, recorded: Packages, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").touch(mode=0o644)
    with pytest.raises(UsageError, match="no interpreter"):
        _choice(recorded, wheels, told)


def test_wishes_that_contradict_each_other_are_wrong_use(recorded: Packages, wheels: Path) -> None:
    with pytest.raises(UsageError, match="--env says not to rebuild"):
        _choice(recorded, wheels, "here", _HERE)


def test_without_the_library_that_reads_locks_the_extra_is_named(
    recorded: Packages, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "packaging.pylock", None)
    with pytest.raises(RebuildError) as caught:
        _choice(recorded, wheels, "rebuild")
    assert "wandb-repro[rerun]" in caught.value.hint


def test_a_wheel_of_the_run_that_is_not_there_is_known_before_anything_is_built(
    recorded: Packages, tmp_path: Path
) -> None:
    assert any(one.repacked for one in recorded.distributions), "this package is in development"
    with pytest.raises(RebuildError, match="is missing or is not the one"):
        _choice(recorded, tmp_path, "rebuild")
