"""A thousand random changes of a capsule: not one leaves two runs identical.

Identical is a word about two things: digests that are all equal, and records that are intact. So a
host's name, which changes no bits, may be another in another run's record; but a record in which it
was changed afterwards is no record any more, and its own digest says so.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.records import changed, full_manifest, lines_of, rerun_manifest, trail
from wandb_repro.errors import ReproError
from wandb_repro.manifest.document import Manifest
from wandb_repro.repeat import verify
from wandb_repro.store.base import Capsule

WHEEL = "tools-0.3-py3-none-any.whl"
BUNDLE = b"a bundle of a few bytes"
WHEEL_BYTES = b"a wheel of a few bytes"


def with_parts(manifest: Manifest) -> Manifest:
    """Return a manifest that names the parts of these capsules."""
    wheel = "execution.packages.distributions.3.repacked.sha256"
    return changed(
        manifest,
        {
            "execution.code.bundle.sha256": hashlib.sha256(BUNDLE).hexdigest(),
            wheel: hashlib.sha256(WHEEL_BYTES).hexdigest(),
        },
    )


def written(folder: Path, manifest: Manifest) -> Capsule:
    (folder / "wheels").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    (folder / "trail.jsonl").write_bytes(b"".join(lines_of(trail().records)))
    (folder / "code.bundle").write_bytes(BUNDLE)
    (folder / "wheels" / WHEEL).write_bytes(WHEEL_BYTES)
    return Capsule(folder)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Capsule, Capsule]:
    """Give the capsules of a run and its rerun, identical."""
    folder = tmp_path_factory.mktemp("capsules")
    one = written(folder / "one", with_parts(full_manifest()))
    two = written(folder / "two", with_parts(rerun_manifest()))
    assert verify(one, two).grade == "identical"
    return one, two


def flip(content: bytes, chance: random.Random) -> bytes:
    """Change one bit."""
    place = chance.randrange(len(content))
    return (
        content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]
    )


def cut(content: bytes, chance: random.Random) -> bytes:
    """Cut the end off."""
    return content[: chance.randrange(len(content))]


def drop(content: bytes, chance: random.Random) -> bytes:
    """Take a few bytes out."""
    place = chance.randrange(len(content))
    return content[:place] + content[place + chance.randint(1, 40) :]


def swap_lines(content: bytes, chance: random.Random) -> bytes:
    """Let two lines change places; of one line, its halves."""
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        middle = len(content) // 2
        return content[middle:] + content[:middle]
    one, two = chance.sample(range(len(lines)), 2)
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


BYTES: list[Callable[[bytes, random.Random], bytes]] = [flip, cut, drop, swap_lines]
PARTS = ["manifest.json", "trail.jsonl", "code.bundle", f"wheels/{WHEEL}"]


def leaf_changed(document: object, chance: random.Random) -> None:
    """Change one value somewhere in a document, whatever it is: a host's name, data, a weight."""
    place, key = chance.choice(list(_places(document)))
    place[key] = _other(place[key], chance)


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    """Yield each container and key that hold a plain value, or nothing."""
    items: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        items = list(cast("dict[Any, object]", value).items())
    elif isinstance(value, list):
        items = list(enumerate(cast("list[object]", value)))
    for key, inside in items:
        if inside and isinstance(inside, dict | list):
            yield from _places(cast("object", inside))
        else:
            yield value, key


def _other(value: object, chance: random.Random) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + chance.choice([1, -1, 1000])
    if isinstance(value, str):
        at = chance.randint(0, len(value))
        return value[:at] + chance.choice("0f-z ") + value[at:]
    return "other" if value is None else None


def edited(content: bytes, chance: random.Random) -> bytes:
    """Change one value of the record as an editor would, leaving its digest or chain as it was."""
    lines = content.splitlines()
    at = chance.randrange(len(lines))
    document = json.loads(lines[at])
    leaf_changed(document, chance)
    lines[at] = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return b"\n".join(lines) + b"\n"


def outcome(one: Capsule, two: Capsule) -> str:
    try:
        return verify(one, two).grade
    except ReproError:
        return "refused"


def test_of_a_thousand_changed_capsules_none_is_called_identical(
    pair: tuple[Capsule, Capsule], tmp_path: Path
) -> None:
    chance = random.Random(1)  # noqa: S311 - the same thousand every time
    grades: list[str] = []
    for number in range(1000):
        side = chance.randrange(2)
        spoiled = Capsule(tmp_path / "capsule")
        shutil.copytree(pair[side].folder, spoiled.folder)
        path = spoiled.folder / chance.choice(PARTS)
        ways = [*BYTES, *([edited] * 3 if path.suffix in (".json", ".jsonl") else [])]
        before = path.read_bytes()
        while (after := chance.choice(ways)(before, chance)) == before:
            pass
        path.write_bytes(after)
        sides = (spoiled, pair[1]) if side == 0 else (pair[0], spoiled)
        grades.append(outcome(*sides))
        assert grades[-1] != "identical", (number, path.name, after[:2000])
        shutil.rmtree(spoiled.folder)
    assert set(grades) <= {"refused", "inconclusive", "diverged"}
    assert len(grades) == 1000


def test_a_record_that_is_another_runs_own_may_name_another_host(
    pair: tuple[Capsule, Capsule], tmp_path: Path
) -> None:
    elsewhere = with_parts(rerun_manifest({"description.machine.hostname": "hopper"}))

    assert verify(pair[0], written(tmp_path / "other", elsewhere)).grade == "identical"


@pytest.mark.parametrize("name", PARTS[2:])
def test_a_part_that_was_not_brought_along_is_not_looked_at(
    pair: tuple[Capsule, Capsule], tmp_path: Path, name: str
) -> None:
    shutil.copytree(pair[1].folder, tmp_path / "two")
    (tmp_path / "two" / name).unlink()

    assert verify(pair[0], Capsule(tmp_path / "two")).grade == "identical"
