"""A tolerance on one model says nothing of another."""

from __future__ import annotations

from tests.support.records import full_manifest, moment, rerun_manifest, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Shape, State, Structure
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.unmeasured_state import unmeasured_state
from wandb_repro.verify.verdict import judge


def run(fitted: str, *others: tuple[str, str]) -> Trail:
    """Return the trail of a fit of model 1, whose kernel is this, with others at the end.

    Args:
        fitted: digest of the kernel of model 1.
        others: group and digest of the variable of model 2, 3 ...
    """
    end = moment("epoch", epoch=1, leaves=(fitted, "b0", "c0"), metrics={"loss": 0.5})
    variables = [("trainable", fitted), *others]
    shapes = tuple(
        Shape(group=group, label=f"model {number}: kernel", dtype="float32", shape=(1,))
        for number, (group, _) in enumerate(variables, start=1)
    )
    digests = tuple(leaf.ljust(32, "0") for _, leaf in variables)
    state = State(moment="end", row=0, root="".join(digests), leaves=digests)
    return trail([moment("initial", epoch=0, step=0), end, Structure(fit=0, leaves=shapes), state])


def test_what_a_fit_trained_is_measured_there() -> None:
    assert unmeasured_state(run("a1"), run("a2")) == ()
    # Another model shares its variable, as one inside the other does.
    assert unmeasured_state(run("a1", ("trainable", "a1")), run("a2", ("trainable", "a2"))) == ()


def test_what_only_a_loop_trained_is_not() -> None:
    original, rerun = run("a1", ("trainable", "d1")), run("a2", ("trainable", "d2"))

    assert unmeasured_state(original, rerun) == (
        "model 2 differs at the end of the run, and nothing measures it",
    )


def test_states_of_optimizers_and_generators_are_never_measured() -> None:
    original = run("a1", ("optimizer", "d1"), ("seed", "e1"))

    assert unmeasured_state(original, run("a2", ("optimizer", "d2"), ("seed", "e2"))) == ()


def test_a_model_that_one_run_lacks_is_named() -> None:
    assert len(unmeasured_state(run("a1"), run("a2", ("trainable", "d1")))) == 1


def test_near_weights_beside_another_second_model_are_not_equivalent() -> None:
    def grade(original: Trail, rerun: Trail) -> str:
        tolerance = Tolerance(rtol=0.5)
        records = full_manifest(), original, rerun_manifest(), rerun
        return judge(*records, tolerance=tolerance).grade

    other = ("trainable", "d1")
    assert grade(run("a1", other), run("a2", other)) == "equivalent"
    assert grade(run("a1", other), run("a2", ("trainable", "d2"))) == "diverged"
