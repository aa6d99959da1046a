"""The lines of a trail: written, read back, cut off, changed."""

from __future__ import annotations

import hashlib
import io
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.golden import DATA
from tests.support.records import (
    SHAPES,
    lines_of,
    losses,
    moment,
    moments,
    step,
    trail,
    trail_of_steps,
)
from wandb_repro.errors import TrailError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_file import parse
from wandb_repro.manifest.trail_records import (
    Checkpoint,
    End,
    Logged,
    Missing,
    Resumed,
    Start,
    Structure,
)

TRAILS = sorted((DATA / "trails").glob("*.jsonl"))
WHOLE = trail([moment("initial", epoch=0, step=0), moment(metrics={"loss": 0.1})])
LINES = lines_of(WHOLE.records)


def linked(bodies: list[dict[str, Any]]) -> list[bytes]:
    """Return lines that follow from each other, whatever they say."""
    lines: list[bytes] = []
    link = "0" * 64
    for body in bodies:
        line = canonical.dumps({**body, "prev": link})
        link = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    return lines


def bodies() -> list[dict[str, Any]]:
    return [record.model_dump(mode="json") for record in WHOLE.records]


def test_a_trail_is_read_back_as_it_was() -> None:
    assert parse(LINES) == WHOLE


def test_a_trail_of_steps_is_read_back_as_it_was() -> None:
    assert parse(lines_of(trail_of_steps().records)) == trail_of_steps()


def test_every_kind_of_record_is_read_back_as_it_was() -> None:
    missing = Missing(fit=1, moment="initial", epoch=0, step=0, reason="not built yet")
    other = Structure(fit=2, leaves=SHAPES[:2])
    later = moment("step", fit=2, epoch=0, step=1, leaves=("a", "b"))
    saved = Checkpoint(fit=1, epoch=1, step=3, path="/c/1.ckpt", digest="ab" * 32, root="cd")
    went_on = Resumed(fit=1, epoch=1, step=3, path="/c/1.ckpt", digest="ab" * 32, inexact=("w",))
    written = trail([missing, *moments(), other, later, saved, went_on])

    assert parse(lines_of(written.records)) == written


@pytest.mark.parametrize("file", TRAILS, ids=lambda file: file.stem)
def test_a_trail_of_every_format_is_read_for_ever(file: Any) -> None:
    found = parse(io.BytesIO(file.read_bytes()))

    assert found.start is not None
    assert found.start.version == file.stem
    assert lines_of(found.records) == file.read_bytes().splitlines(keepends=True)


def test_what_the_first_format_says_is_understood() -> None:
    found = parse(io.BytesIO((DATA / "trails" / "1.0.jsonl").read_bytes()))

    names = [weights.moment for weights in found.weights]
    assert names == ["initial", "step", "epoch", "epoch", "epoch", "final"]
    assert found.weights[2].metrics.keys() == {"accuracy", "loss"}
    assert found.end == End(status="finished", fits=1)


def test_a_trail_of_this_format_is_kept() -> None:
    assert Start(leaf_algorithm="", root_algorithm="").version in {file.stem for file in TRAILS}


def test_a_file_with_nothing_in_it_is_an_empty_trail() -> None:
    assert parse([]) == Trail((), torn=False)


def test_a_trail_cut_off_at_any_byte_is_read_up_to_its_last_whole_line() -> None:
    lines = lines_of(trail_of_steps().records)
    content = b"".join(lines)

    for length in range(len(content)):
        cut = content[:length]
        found = parse(io.BytesIO(cut))
        assert found.records == tuple(trail_of_steps().records)[: cut.count(b"\n")]
        assert found.torn == (not cut.endswith(b"\n") and cut != b"")


def test_a_cut_end_is_no_end() -> None:
    assert parse([*LINES[:-1], LINES[-1][:-1]]).end is None


@pytest.mark.parametrize("place", range(len(LINES) - 1))
def test_a_removed_line_is_refused(place: int) -> None:
    with pytest.raises(TrailError, match=f"Line {place + 1} of the trail does not match"):
        parse([*LINES[:place], *LINES[place + 1 :]])


@pytest.mark.parametrize("place", range(len(LINES) - 1))
def test_two_swapped_lines_are_refused(place: int) -> None:
    swapped = [*LINES[:place], LINES[place + 1], LINES[place], *LINES[place + 2 :]]

    with pytest.raises(TrailError, match="does not match the line before it"):
        parse(swapped)


def test_a_line_that_stands_twice_is_refused() -> None:
    with pytest.raises(TrailError, match="Line 3 of the trail does not match"):
        parse([*LINES[:2], LINES[1], *LINES[2:]])


def test_a_changed_line_is_refused_by_the_next() -> None:
    changed = LINES[2].replace(b'"a0', b'"a1')

    with pytest.raises(TrailError, match="Line 4 of the trail does not match") as caught:
        parse([*LINES[:2], changed, *LINES[3:]])

    assert caught.value.hint.endswith("download the run's files again.")


@given(st.integers(0, sum(map(len, LINES[:-1])) - 1), st.integers(0, 255))
def test_a_changed_byte_before_the_last_line_is_never_read_as_another_trail(
    place: int, other: int
) -> None:
    content = bytearray(b"".join(LINES))
    content[place] = other

    try:
        found = parse(io.BytesIO(content))
    except TrailError:
        return
    assert found == WHOLE


def test_a_record_of_a_later_version_is_passed_over_and_chained() -> None:
    known = bodies()
    lines = linked([*known[:2], {"kind": "gradients", "norm": 1}, *known[2:]])

    assert parse(lines).records == WHOLE.records
    with pytest.raises(TrailError, match="Line 3"):
        parse([*lines[:2], *lines[3:]])


def test_an_unknown_field_is_kept() -> None:
    known = bodies()
    known[2]["norms"] = [1.5]

    assert tuple(parse(linked(known)).records)[2].model_dump()["norms"] == [1.5]


def bad(place: int, **fields: Any) -> list[bytes]:
    known = bodies()
    known[place] = {**known[place], **fields}
    return linked(known)


def stepped(*steps: dict[str, Any]) -> list[bytes]:
    """Return a chain of a start, a structure of three leaves, and these."""
    return linked([START, STRUCTURE, *({**STEP, **one} for one in steps)])


START, STRUCTURE, INITIAL, EPOCH, END = bodies()
STEP = step(1).model_dump(mode="json")
IMPOSSIBLE = {
    "not JSON": ([b"nonsense\n"], "Line 1 of the trail cannot be read: The document is not"),
    "a line without its end, not the last": ([LINES[0][:-1], *LINES[1:]], "Line 1 .* is cut off"),
    "an empty line": ([*LINES, b"\n"], "Line 6 of the trail cannot be read"),
    "no object": ([b"[1]\n"], "Line 1 of the trail is not a record"),
    "a key twice": ([b'{"kind":"start","kind":"end"}\n'], "The key 'kind' occurs twice"),
    "no kind": (linked([{}]), "Line 1 of the trail is not a record"),
    "no start": (linked([STRUCTURE]), "Line 1 of the trail is not a start record"),
    "a second start": (linked([START, START]), "Line 2 of the trail is a second start record"),
    "a record behind the end": (linked([START, END, STRUCTURE]), "comes after the end record"),
    "weights of no structure": (linked([START, EPOCH]), "has 3 digests for 0 variables"),
    "a leaf too few": (bad(2, leaves=["a0", "b0"]), "has 2 digests for 3 variables"),
    "no hexadecimal digest": (bad(2, leaves=["a0", "b0", "xyz"]), r"at weights\.leaves\.2"),
    "a moment nobody knows": (bad(2, moment="lunch"), r"at weights\.moment"),
    "a step that is no number": (bad(2, step="ten"), r"at weights\.step"),
    "a metric that is no number": (bad(3, metrics={"loss": "much"}), r"at weights\.metrics\.loss"),
    "a metric in decimal": (bad(3, metrics={"loss": "0.1"}), "not as float.hex writes it"),
    "a metric too large": (bad(3, metrics={"loss": "0x1.0p+9999"}), "larger than any float"),
    "a step of no structure": (linked([START, STEP]), "names variables 0-2 of 0"),
    "a first step that leaves out": (stepped({"changed": "0-1", "leaves": "0" * 16}), "has 2 dig"),
    "a leaf that is not there": (stepped({}, {"changed": "0-3"}), "names variables 0-3 of 3"),
    "more leaves than any": (stepped({}, {"changed": "0-999999999"}), "names variables 0-99"),
    "a leaf twice": (stepped({}, {"changed": "0,0-1"}), "names variables 0,0-1 of 3"),
    "leaves backwards": (stepped({}, {"changed": "2-1"}), "names variables 2-1 of 3"),
    "places that are none": (stepped({}, {"changed": "all"}), r"at step\.changed"),
    "a digit too few": (stepped({"leaves": "0" * 23}), "has 23 digits for 3 variables"),
    "digits that are none": (stepped({"leaves": "z" * 24}), r"at step\.leaves"),
    "bits that are none": (
        linked([START, {**losses(1.0).model_dump(), "bits": {"loss": "0x1"}}]),
        r"at losses\.bits\.loss",
    ),
    "a format that is none": (bad(0, version="1.0+cpu"), "at start.version"),
    "a later format": (bad(0, version="2.0"), "has format 2.0, but this wandb_repro reads 1.3"),
}


@pytest.mark.parametrize(("lines", "why"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_chain_of_nonsense_is_refused(lines: list[bytes], why: str) -> None:
    with pytest.raises(TrailError, match=why):
        parse(lines)


@settings(max_examples=600, deadline=None)
@given(
    st.integers(0, 4),
    st.sampled_from(sorted({name for body in bodies() for name in body})),
    st.sampled_from([None, True, -1, 2**70, 1.5, "", "x", [], [[]], ["a0"], {}, {"loss": "nan"}]),
)
def test_no_mutation_raises_anything_but_a_trail_error(
    place: int, name: str, value: object
) -> None:
    try:
        found = parse(bad(place, **{name: value}))
    except TrailError:
        return
    assert parse(lines_of(found.records)) == found


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, 5e-324, 1.8e307, math.inf, -math.inf, math.nan])
def test_every_number_has_its_exact_bits(value: float) -> None:
    written = trail([moment(metrics={"loss": value})])

    metrics = parse(lines_of(written.records)).weights[0].metrics

    assert str(float.fromhex(metrics["loss"])) == str(value)


def test_steps_are_written_and_read_as_canonical_json_says() -> None:
    for line in lines_of(trail_of_steps().records):
        assert line == canonical.dumps(json.loads(line)) + b"\n"


@pytest.mark.parametrize(
    "record",
    [
        Logged(first=1, rows=2, numbers={"loss": "00" * 16, "a": "ff" * 16}, steps="0-1"),
        Logged(first=1, rows=1, numbers={'"é\ud800': "00" * 8}, texts={"é": ('str:"\n',)}),
        Logged(first=1, rows=1, texts={"numbers": ('str:"numbers":{}',)}, steps="7", begins=7),
    ],
)
def test_rows_are_written_as_canonical_json_says_and_read_back(record: Logged) -> None:
    start, line = lines_of([Start(leaf_algorithm="", root_algorithm=""), record])
    body = {**record.model_dump(mode="json"), "prev": hashlib.sha256(start[:-1]).hexdigest()}
    assert line == canonical.dumps(body) + b"\n"
    (_, found) = parse([start, line]).records
    assert isinstance(found, Logged)
    assert found.numbers.keys() == json.loads(line)["numbers"].keys()


def test_a_step_that_another_program_wrote_with_blanks_is_read() -> None:
    lines = linked([START, STRUCTURE, STEP])
    spaced = lines[2].replace(b",", b", ")

    assert parse([*lines[:2], spaced]) == parse(lines)


def test_a_line_has_no_blanks_and_one_end() -> None:
    for line in LINES:
        assert line == canonical.dumps(json.loads(line)) + b"\n"
