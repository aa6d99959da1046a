"""Two runs whose threads raced are compared thing by thing."""

from __future__ import annotations

import pytest

from tests.support.records import (
    SHAPES,
    full_manifest,
    granularity,
    losses,
    moment,
    rerun_manifest,
    trail,
)
from wandb_repro.digest import root_digest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import (
    OTHER_THREADS,
    End,
    Inventory,
    Losses,
    State,
    Structure,
    TrailRecord,
    Trainable,
    owner_name,
)
from wandb_repro.verify.paired_trail import paired
from wandb_repro.verify.verdict import judge

STEPS = 10


def leaves(seed: int, epoch: int = 0) -> tuple[str, ...]:
    return tuple(f"{seed}{epoch}{leaf}0" * 8 for leaf in range(3))


def fit(number: int, seed: int, *, thread: str, model: int = 1) -> list[TrailRecord]:
    """Return a fit of one epoch of a model whose weights depend on the seed."""
    plan = granularity(fit=number, every=0).model_copy(update={"model": model, "thread": thread})
    values = losses(*(float(seed) for _ in range(STEPS)), fit=number)
    return [
        plan,
        moment("initial", fit=number, epoch=0, step=0, leaves=leaves(seed)),
        values,
        moment("epoch", fit=number, epoch=1, step=STEPS, leaves=leaves(seed, 1)),
        moment("final", fit=number, epoch=1, step=STEPS, leaves=leaves(seed, 1)),
    ]


def run(*fits: tuple[int, str], order: tuple[int, ...] | None = None) -> Trail:
    """Return the trail of a run whose threads trained models of these seeds, each one fit.

    Args:
        fits: seed and thread of each; the models of other threads are numbered as they come.
        order: in which the fits began.
    """
    numbered = list(enumerate(fits, start=1))
    records: list[TrailRecord] = []
    for at, number in enumerate(order or range(1, len(fits) + 1), start=1):
        seed, thread = fits[number - 1]
        model = number if thread in ("", OTHER_THREADS) else 1
        records += fit(at, seed, thread=thread, model=model)
    named = [
        (owner_name("model", n if thread in ("", OTHER_THREADS) else 1, thread), seed, thread)
        for n, (seed, thread) in numbered
    ]
    shapes = [
        shape.model_copy(update={"label": f"{name}: {shape.label}"})
        for name, _, _ in named
        for shape in SHAPES
    ]
    digests = [leaf for _, seed, _ in named for leaf in leaves(seed, 1)]
    root = root_digest(zip((shape.group for shape in shapes), digests, strict=True))
    things = tuple(
        Trainable(number=n, kind="model", name="net", variables=3, steps=None, thread=thread)
        for n, (_, thread) in numbered
    )
    ended = [
        Structure(fit=0, leaves=tuple(shapes)),
        State(moment="end", row=0, root=root, leaves=tuple(digests)),
        Inventory(things=things),
        End(status="finished", fits=len(fits)),
    ]
    return Trail((*trail(records, ended=False).records, *ended), torn=False)


def grade(original: Trail, rerun: Trail) -> str:
    return judge(full_manifest(), original, rerun_manifest(), rerun).grade


THREADS = (1, "train#1"), (2, "train#2"), (3, "train#3")
POOL = tuple((seed, OTHER_THREADS) for seed in (1, 2, 3))


@pytest.mark.parametrize("things", [THREADS, POOL])
def test_threads_that_begin_in_another_order_are_identical(
    things: tuple[tuple[int, str], ...],
) -> None:
    assert grade(run(*things), run(*things, order=(3, 1, 2))) == "identical"


def test_what_another_thread_of_a_pool_made_is_identical_and_named_like_the_original() -> None:
    original, rerun = run(*POOL), run(*POOL[::-1], order=(2, 3, 1))
    assert grade(original, rerun) == "identical"

    read = paired(original, rerun)
    (end,) = [weights for weights, _ in read.with_shapes() if weights.moment == "end"]
    (expected,) = [weights for weights, _ in original.with_shapes() if weights.moment == "end"]
    assert (end.leaves, end.root) == (expected.leaves, expected.root)
    assert {record.fit: record.bits for record in read.of(Losses)} == {
        record.fit: record.bits for record in original.of(Losses)
    }


@pytest.mark.parametrize("things", [THREADS, POOL])
def test_one_model_with_other_weights_is_diverged(things: tuple[tuple[int, str], ...]) -> None:
    changed = (things[0], (9, things[1][1]), things[2])

    assert grade(run(*things), run(*changed, order=(3, 1, 2))) == "diverged"


@pytest.mark.parametrize("things", [THREADS, POOL])
def test_one_model_more_or_less_is_not_identical(things: tuple[tuple[int, str], ...]) -> None:
    assert grade(run(*things), run(*things[:2])) != "identical"
    assert grade(run(*things[:2]), run(*things)) != "identical"


def test_models_that_the_own_thread_made_are_not_exchanged() -> None:
    own = (1, ""), (2, "")

    assert grade(run(*own), run(*own, order=(2, 1))) == "identical"
    assert grade(run(*own), run(*own[::-1])) == "diverged"


def test_a_fit_that_has_no_partner_gets_a_number_that_no_other_has() -> None:
    original, rerun = run(*THREADS[:1]), run(THREADS[1], THREADS[0])

    assert [record.fit for record in paired(original, rerun).of(Losses)] == [3, 1]


def test_without_threads_the_trail_stays_itself() -> None:
    own = run((1, ""), (2, ""))

    assert paired(own, own) is own
