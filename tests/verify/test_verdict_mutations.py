"""A thousand random changes of a capsule, six kinds of them: not one leaves two runs identical.

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

import numpy as np
import pytest

from tests.support.records import (
    SHAPES,
    changed,
    full_manifest,
    granularity,
    lines_of,
    moment,
    rerun_manifest,
    step,
    trail,
)
from wandb_repro.digest import ROOT_ALGORITHM, leaf_digest, root_digest
from wandb_repro.errors import ReproError
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.store.capsule import Capsule
from wandb_repro.workflows.verify_capsules import verify_capsules

Array = Any
"""Of NumPy."""

WHEEL = "tools-0.3-py3-none-any.whl"
BUNDLE = b"a bundle of a few bytes"
WHEEL_BYTES = b"a wheel of a few bytes"
DATA: Array = np.random.default_rng(1).normal(size=(20, 3)).astype("float32")
KERNEL: Array = np.random.default_rng(2).normal(size=(3, 2)).astype("float32")


def with_parts(manifest: Manifest, data: Array = DATA) -> Manifest:
    """Return a manifest that names the parts of these capsules."""
    wheel = "execution.packages.distributions.3.repacked"
    return changed(
        manifest,
        {
            "execution.code.bundle.sha256": hashlib.sha256(BUNDLE).hexdigest(),
            "execution.code.bundle.size_bytes": len(BUNDLE),
            f"{wheel}.sha256": hashlib.sha256(WHEEL_BYTES).hexdigest(),
            f"{wheel}.size_bytes": len(WHEEL_BYTES),
            "description.data.0.digest": f"{ROOT_ALGORITHM}:{root_digest([('x', of(data))])}",
        },
    )


def of(array: Array) -> str:
    return leaf_digest(array)


def trained(kernel: Array = KERNEL, data: Array = DATA) -> Trail:
    """Return the trail of a training of one step that ended with this kernel."""
    one = moment("initial", epoch=0, step=0)
    batch = step(1, leaves=("a1", "b1", "c1"), data=of(data))
    leaves = (of(kernel), *one.leaves[1:])
    root = root_digest(zip([shape.group for shape in SHAPES], leaves, strict=True))
    last = [
        moment(name, step=1).model_copy(update={"leaves": leaves, "root": root})
        for name in ("epoch", "final")
    ]
    return trail([one, granularity(), batch, *last])


def written(folder: Path, manifest: Manifest) -> Capsule:
    (folder / "wheels").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    (folder / "trail.jsonl").write_bytes(b"".join(lines_of(trained().records)))
    (folder / "code.bundle").write_bytes(BUNDLE)
    (folder / "wheels" / WHEEL).write_bytes(WHEEL_BYTES)
    return Capsule(folder)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Capsule, Capsule]:
    """Give the capsules of a run and its rerun, identical."""
    folder = tmp_path_factory.mktemp("capsules")
    one = written(folder / "one", with_parts(full_manifest()))
    two = written(folder / "two", with_parts(rerun_manifest()))
    assert verify_capsules(one, two).grade == "identical"
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


def bent(array: Array, chance: random.Random) -> Array:
    """Return an array of which one bit is another."""
    other: Array = np.frombuffer(flip(array.tobytes(), chance), array.dtype)
    return other.reshape(array.shape)


def spoiled_bytes(name: str) -> Callable[[Capsule, random.Random], None]:
    """Return what changes a file as a disk or an editor would, its digests left as they were."""

    def spoil(capsule: Capsule, chance: random.Random) -> None:
        path = capsule.folder / name
        ways = [*BYTES, *([edited] * 3 if path.suffix in (".json", ".jsonl") else [])]
        before = path.read_bytes()
        while (after := chance.choice(ways)(before, chance)) == before:
            pass
        path.write_bytes(after)

    return spoil


def other_lock(capsule: Capsule, chance: random.Random) -> None:
    """Change what the environment is rebuilt from: a wheel, or the recorded packages."""
    if chance.random() < 0.5:
        spoiled_bytes(f"wheels/{WHEEL}")(capsule, chance)
        return
    document = json.loads(capsule.manifest.read_bytes())
    leaf_changed(document["execution"]["packages"], chance)
    capsule.manifest.write_text(json.dumps(document))


def other_weights(capsule: Capsule, chance: random.Random) -> None:
    """Let one bit of one weight be another when training ends: an honest record of it."""
    lines = lines_of(trained(kernel=bent(KERNEL, chance)).records)
    capsule.trail.write_bytes(b"".join(lines))


def other_data(capsule: Capsule, chance: random.Random) -> None:
    """Let one bit of one example be another: in its fingerprint, or in a batch."""
    data = bent(DATA, chance)
    if chance.random() < 0.5:
        capsule.trail.write_bytes(b"".join(lines_of(trained(data=data).records)))
        return
    own = Manifest.from_bytes(capsule.manifest.read_bytes())
    capsule.manifest.write_bytes(with_parts(own, data).to_bytes())


KINDS: dict[str, Callable[[Capsule, random.Random], None]] = {
    "weights": other_weights,
    "manifest": spoiled_bytes("manifest.json"),
    "bundle": spoiled_bytes("code.bundle"),
    "lock": other_lock,
    "trail": spoiled_bytes("trail.jsonl"),
    "data": other_data,
}


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
        return verify_capsules(one, two).grade
    except ReproError:
        return "refused"


EXPECTED = {
    "weights": {"diverged"},
    "manifest": {"refused"},
    "bundle": {"refused"},
    "lock": {"refused"},
    "trail": {"refused", "inconclusive", "diverged"},
    "data": {"diverged", "inconclusive"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_thousand_changed_capsules_none_is_called_identical(
    pair: tuple[Capsule, Capsule], kind: str
) -> None:
    chance = random.Random(kind)  # noqa: S311 - the same thousand every time
    grades: set[str] = set()
    for number in range(170):
        spoiled = pair[chance.randrange(2)]
        whole = {name: (spoiled.folder / name).read_bytes() for name in PARTS}
        KINDS[kind](spoiled, chance)
        grade = outcome(*pair)
        for name, content in whole.items():
            (spoiled.folder / name).write_bytes(content)
        assert grade != "identical", (kind, number)
        grades.add(grade)
    assert grades <= EXPECTED[kind]
    assert outcome(*pair) == "identical"


def test_a_record_that_is_another_runs_own_may_name_another_host(
    pair: tuple[Capsule, Capsule], tmp_path: Path
) -> None:
    elsewhere = with_parts(rerun_manifest({"description.machine.hostname": "hopper"}))

    assert verify_capsules(pair[0], written(tmp_path / "other", elsewhere)).grade == "identical"


@pytest.mark.parametrize("name", PARTS[2:])
def test_a_part_that_was_not_brought_along_is_not_looked_at(
    pair: tuple[Capsule, Capsule], tmp_path: Path, name: str
) -> None:
    shutil.copytree(pair[1].folder, tmp_path / "two")
    (tmp_path / "two" / name).unlink()

    assert verify_capsules(pair[0], Capsule(tmp_path / "two")).grade == "identical"
