"""Parts of the data, and rows that stand in two of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy
import pytest
from sklearn import model_selection

from wandb_repro.capture.dataset import dataset_of
from wandb_repro.recording import messages
from wandb_repro.recording.datasets import DataParts, warn_if_unknown

np: Any = cast("Any", numpy)
X = np.random.default_rng(0).random((200, 5))


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    messages.forget()


def test_a_split_by_scikit_learn_has_nothing_in_common(capsys: pytest.CaptureFixture[str]) -> None:
    train, test = cast("Any", model_selection).train_test_split(X, random_state=0)
    parts = DataParts()
    parts.add([dataset_of("train", train)])
    parts.add([dataset_of("test", test)])
    assert parts.overlaps == ()
    assert capsys.readouterr().err == ""


def test_rows_in_two_parts_are_counted_and_warned_of_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = DataParts()
    for name, rows in (("train", X[:150]), ("validation", X[150:170]), ("test", X[140:])):
        parts.add([dataset_of(name, rows)])
    told = {(one.one, one.two): (one.rows_of_one, one.rows_of_two) for one in parts.overlaps}
    assert told == {("train", "test"): (10, 10), ("validation", "test"): (20, 20)}
    said = capsys.readouterr().err
    assert said.count("warning") == 2
    assert "10 rows of 'test' are also in 'train': if one of the two is training data" in said


def test_rows_are_found_by_content_whatever_their_targets() -> None:
    parts = DataParts()
    parts.add([dataset_of("train", X[:100], np.zeros(100))])
    parts.add([dataset_of("test", np.concatenate([X[99:100], X[99:120]]), np.ones(22))])
    (overlap,) = parts.overlaps
    assert (overlap.rows_of_one, overlap.rows_of_two) == (1, 2)


def test_a_name_that_is_used_twice_is_two_parts_and_the_latest_is_compared() -> None:
    parts = DataParts()
    parts.add([dataset_of("train", X), dataset_of("test", X[:3])])
    parts.add([dataset_of("test", X[:3] + 1)])
    assert [part.name for part in parts.datasets] == ["train", "test", "test"]
    assert parts.datasets[1].digest != parts.datasets[2].digest
    assert parts.overlaps == ()


def test_more_than_a_thousand_parts_are_recorded_as_one_digest_in_order() -> None:
    (measured,) = [dataset_of("fold", X[:3])]

    def rest(digests: Iterable[str]) -> tuple[int, str, str]:
        parts = DataParts()
        parts.add(
            measured._replace(dataset=measured.dataset.model_copy(update={"digest": digest}))
            for digest in (*["same"] * 1000, *digests)
        )
        last = parts.datasets[-1]
        return len(parts.datasets), last.name, str(last.digest)

    assert rest("") == (1000, "fold", "same")
    assert rest("ab")[:2] == (1001, "2 further parts")
    assert rest("ab") == rest("ab")
    assert len({rest("ab"), rest("ba"), rest("aa")}) == 3


def test_a_split_that_cannot_be_read_is_named_once_a_reason() -> None:
    parts = DataParts()
    for fit in (1, 2, 3):
        parts.add_unread_split(fit, "a generator can be read only once")

    assert parts.uncompared == (
        "training and validation of fit 1 were not compared for rows in common: "
        "a generator can be read only once",
    )


def test_a_file_that_is_not_there_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    part = warn_if_unknown(dataset_of("train", path="/nowhere/x.csv"))
    said = capsys.readouterr().err
    assert "the data 'train' has no fingerprint: /nowhere/x.csv: No such file" in said
    assert warn_if_unknown(dataset_of("test", X)).dataset.name == "test"
    assert capsys.readouterr().err == ""
    assert part.kept is None
