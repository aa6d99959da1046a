"""The manifest as a document: written, read back, refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.golden import DATA
from tests.support.records import absent, changed, full_manifest, rerun_manifest
from wandb_repro.errors import ManifestError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.manifest import VERSION, Manifest

MANIFESTS = sorted((DATA / "manifests").glob("*.json"))


def document() -> dict[str, Any]:
    return json.loads(full_manifest().to_bytes())


def sealed(body: dict[str, Any]) -> bytes:
    """Return a document that says of itself what is so, as anybody can write it."""
    body = {name: value for name, value in body.items() if name != "digest"}
    return canonical.dumps({**body, "digest": "sha256:" + canonical.sha256(body)})


def test_a_manifest_is_read_back_as_it_was() -> None:
    manifest = full_manifest()

    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_a_manifest_of_which_nothing_is_known_is_read_back_as_it_was() -> None:
    why = absent("the probe failed")
    parts = ["command", "code", "packages", "seed", "config"]
    nothing = {f"execution.{name}": why for name in parts} | {"ending": why, "trail": why}
    nothing |= {f"description.{name}": why for name in document()["description"]}

    manifest = changed(full_manifest(), nothing)

    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


@pytest.mark.parametrize("part", ["execution", "description"])
def test_a_config_that_could_not_be_had_is_no_config(part: str) -> None:
    manifest = changed(full_manifest(), {f"{part}.config": absent("the run was gone")})

    assert isinstance(getattr(manifest, part).config, Unavailable)


def test_a_config_may_have_an_entry_called_unavailable() -> None:
    config = {"unavailable": "gpu-3", "lr": 0.1}

    manifest = changed(full_manifest(), {"execution.config": config})

    assert manifest.execution.config == config


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.stem)
def test_a_manifest_of_every_format_is_read_for_ever(file: Any) -> None:
    manifest = Manifest.from_bytes(file.read_bytes())

    assert manifest.version == file.stem
    assert manifest.to_bytes() == file.read_bytes()


def test_what_an_older_program_did_not_write_is_not_written_by_a_newer_one() -> None:
    newer = full_manifest().execution.code
    assert isinstance(newer, Code)
    older = Code.model_validate(newer.model_dump(exclude={"added"}))

    assert "added" not in older.model_dump(mode="json")
    none = Unavailable(unavailable="training has not begun")
    newer = older.model_copy(update={"added": none})
    assert newer.model_dump(mode="json")["added"] == absent("training has not begun")


def test_a_manifest_of_this_format_is_kept() -> None:
    assert VERSION in {file.stem for file in MANIFESTS}


def test_what_the_first_format_says_is_understood() -> None:
    manifest = Manifest.from_bytes((DATA / "manifests" / "1.0.json").read_bytes())

    assert manifest.run.id == "fwugnbw9"
    assert manifest.execution.seed == "42"
    assert isinstance(manifest.description.accelerator, Unavailable) is False


def test_the_digest_covers_everything() -> None:
    digests = {changed(full_manifest(), {path: value}).sealed().digest for path, value in CHANGES}

    assert len(digests | {full_manifest().sealed().digest}) == len(CHANGES) + 1


CHANGES = [
    ("recorded_at", "2026-01-02T03:04:06Z"),
    ("run.name", "brisk-sun-8"),
    ("execution.config.lr", 0.2),
    ("execution.packages.distributions.0.version", "3.15.2"),
    ("description.runtime.processor.cgroup_cores", 1.5),
    ("ending.status", "failed"),
]


@given(st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    written = full_manifest().to_bytes()
    place = data.draw(st.integers(0, len(written) - 1))
    other = data.draw(st.integers(0, 255))
    mangled = written[:place] + bytes([other]) + written[place + 1 :]

    try:
        found = Manifest.from_bytes(mangled)
    except ManifestError:
        return
    assert found == full_manifest()


def test_a_changed_value_is_refused_with_what_to_do() -> None:
    written = full_manifest().to_bytes().replace(b'"lr":0.1', b'"lr":0.2')

    with pytest.raises(ManifestError, match="digest does not match its content") as caught:
        Manifest.from_bytes(written)

    assert (caught.value.where, caught.value.exit_code) == ("digest", 4)
    assert caught.value.hint == ("Download the run's files again; do not edit repro/manifest.json.")


def test_a_manifest_cut_off_anywhere_is_refused() -> None:
    written = full_manifest().to_bytes()

    for length in range(0, len(written) - 1, 7):
        with pytest.raises(ManifestError):
            Manifest.from_bytes(written[:length])


def test_a_missing_digest_is_refused() -> None:
    body = document()
    del body["digest"]

    with pytest.raises(ManifestError, match="digest does not match"):
        Manifest.from_bytes(canonical.dumps(body))


VERSIONS = {
    "a newer major": ("2.0", "has format 2.0; this wandb_repro reads up to 1.0"),
    "a much newer major": ("10.3", "has format 10.3"),
    "no number": ("one", "has no valid format version"),
    "a major only": ("1", "has no valid format version"),
    "none at all": (None, "has no valid format version"),
    "a number": (1.0, "has no valid format version"),
    "thousands of digits": ("9" * 5000 + ".0", "has no valid format version"),
    "other digits": ("٣.0", "has no valid format version"),
    "before the first": ("0.9", "has no valid format version"),
}


@pytest.mark.parametrize(("version", "why"), VERSIONS.values(), ids=VERSIONS)
def test_a_version_that_cannot_be_read_is_refused(version: object, why: str) -> None:
    with pytest.raises(ManifestError, match=why) as caught:
        Manifest.from_bytes(sealed({**document(), "version": version}))

    assert caught.value.where == "version"


def test_a_newer_major_is_refused_before_its_digest_is_looked_at() -> None:
    with pytest.raises(ManifestError, match=r"has format 2\.0"):
        Manifest.from_bytes(b'{"format":"wandb_repro/manifest","version":"2.0"}')


def test_a_newer_minor_is_read_with_what_it_adds() -> None:
    newer: dict[str, Any] = {**document(), "version": "1.7", "added": {"a": [1, None]}}
    newer["description"]["weather"] = "rain"

    manifest = Manifest.from_bytes(sealed(newer))

    assert json.loads(manifest.to_bytes())["added"] == {"a": [1, None]}
    assert manifest.to_bytes().rstrip() == sealed(newer)


DESCRIPTIVE = [
    "",
    "run",
    "description",
    "description.machine",
    "description.runtime",
    "description.runtime.processor",
    "description.runtime.framework",
    "description.accelerator",
    "description.accelerator.gpus.0",
    "description.seeds.generators.0",
    "description.determinism.switches.0",
    "description.data.0.arrays.0",
    "description.inputs.0",
    "execution.code.git",
    "ending",
]
EXECUTION = [
    "execution",
    "execution.command",
    "execution.code",
    "execution.code.bundle",
    "execution.code.left_out.0",
    "execution.packages",
    "execution.packages.interpreter",
    "execution.packages.distributions.3",
    "execution.packages.distributions.3.repacked",
]


def with_field(path: str) -> bytes:
    return sealed(json.loads(json.dumps(_extended(document(), path.split(".") if path else []))))


def _extended(value: Any, path: list[str]) -> Any:
    if not path:
        value["field_of_tomorrow"] = "kept"
    else:
        _extended(value[int(path[0]) if path[0].isdecimal() else path[0]], path[1:])
    return value


@pytest.mark.parametrize("path", DESCRIPTIVE)
def test_an_unknown_field_of_a_description_is_kept(path: str) -> None:
    newer = with_field(path)

    assert Manifest.from_bytes(newer).to_bytes().rstrip() == newer


@pytest.mark.parametrize("path", EXECUTION)
def test_an_unknown_field_of_what_is_executed_is_refused(path: str) -> None:
    with pytest.raises(ManifestError, match="not permitted") as caught:
        Manifest.from_bytes(with_field(path))

    assert caught.value.where == f"{path}.field_of_tomorrow"


WRONG = {
    "execution.code.files": "twelve",
    "execution.code.tree": 1,
    "execution.command.kind": "shell",
    "execution.command.arguments": "--lr 0.1",
    "execution.command.arguments.0": 1,
    "execution.command.environment.PYTHONHASHSEED": 0,
    "execution.packages.distributions.0.name": None,
    "execution.packages.distributions.0.origin": "somewhere",
    "execution.deterministic": "yes",
    "execution.seed": 42,
    "execution.world_size": 1.5,
    "description.machine.os": ["Debian"],
    "description.runtime.processor.logical_cores": True,
    "description.accelerator.gpus.0.memory_bytes": "much",
    "run.offline": 0,
    "ending.status": "exploded",
}


@pytest.mark.parametrize(("path", "value"), WRONG.items(), ids=WRONG)
def test_a_wrong_type_is_refused_and_its_place_is_named(path: str, value: object) -> None:
    body = document()
    *parents, last = path.split(".")
    place: Any = body
    for name in parents:
        place = place[int(name) if name.isdecimal() else name]
    place[int(last) if last.isdecimal() else last] = value

    with pytest.raises(ManifestError, match=f"is invalid at {path}:") as caught:
        Manifest.from_bytes(sealed(body))

    assert caught.value.where == path


@pytest.mark.parametrize("place", [-1, 4])
def test_a_credential_stands_among_the_arguments(place: int) -> None:
    body = document()
    body["execution"]["command"]["redacted"] = [place]

    with pytest.raises(ManifestError, match="a position that arguments does not have"):
        Manifest.from_bytes(sealed(body))


def test_a_missing_field_is_refused_and_named() -> None:
    body = document()
    del body["execution"]["code"]["tree"]

    with pytest.raises(ManifestError, match=r"at execution\.code\.tree: field required"):
        Manifest.from_bytes(sealed(body))


@pytest.mark.parametrize("other", [b"[]", b"null", b'"text"', b"{}", b'{"format":"cyclonedx"}'])
def test_another_document_is_no_manifest(other: bytes) -> None:
    with pytest.raises(ManifestError, match="not a manifest of wandb_repro"):
        Manifest.from_bytes(other)


SCALARS: list[object] = [None, True, 0, -1, 2**70, 1.5, 1e308, "", "x", "\x1b[31m", "\u202e"]
WHOLES: list[object] = [[], [[]], ["a", 1], {}, {"a": 1}, {"kind": "script"}]
ABSENT: list[object] = [{"unavailable": "why"}, {"unavailable": 3}]
ODD = st.sampled_from([*SCALARS, *WHOLES, *ABSENT])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    elif isinstance(value, list):
        children = list(enumerate(value))  # pyright: ignore[reportUnknownArgumentType]
    inner = [found for key, one in children for found in places(one, (*path, key))]
    return [path, *inner] if path else inner


PLACES = places(document())


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(PLACES), ODD, st.sampled_from(["change", "remove", "rename"]))
def test_no_mutation_raises_anything_but_a_manifest_error(
    path: tuple[Any, ...], odd: object, how: str
) -> None:
    body = copy.deepcopy(document())
    parent: Any = body
    for key in path[:-1]:
        parent = parent[key]
    if how == "change" or isinstance(parent, list):
        parent[path[-1]] = odd
    else:
        value = parent.pop(path[-1])
        if how == "rename":
            parent[f"{path[-1]}_"] = value

    try:
        manifest = Manifest.from_bytes(sealed(body))
    except ManifestError:
        return
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


HOSTILE = ["\x00", "\x1b]0;owned\x07", "a\nb", "\u202egpj.exe", "'; rm -rf /", "😀", "\ufffe"]


@pytest.mark.parametrize("text", HOSTILE)
def test_odd_characters_survive(text: str) -> None:
    manifest = changed(
        full_manifest(), {"run.name": text, "execution.command.arguments": [text] * 4}
    )

    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_a_file_name_that_is_no_text_does_not_cost_the_record() -> None:
    manifest = full_manifest().model_copy(update={"recorded_by": "caf\udce9"})

    assert Manifest.from_bytes(manifest.to_bytes()).recorded_by == "caf\ufffd"


def test_two_runs_have_two_digests() -> None:
    assert full_manifest().sealed().digest != rerun_manifest().sealed().digest
