"""What a part of the data is, whatever holds it."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import keras
import numpy
import pandas
import polars
import pytest
import tensorflow

from wandb_repro.capture.dataset import dataset_of
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import Dataset

np, pd, pl = cast("Any", numpy), cast("Any", pandas), cast("Any", polars)
tf, keras_ = cast("Any", tensorflow), cast("Any", keras)

X = np.random.default_rng(0).random((100, 8), "f4")
Y = np.arange(100)
ORDER = np.random.default_rng(1).permutation(100)


def _of(*data: Any, **options: Any) -> Dataset:
    return dataset_of("train", *data, **options).dataset


def _table() -> Any:
    return pd.DataFrame(
        {
            "number": X[:, 0],
            "text": [f"row {number}" for number in Y],
            "perhaps": pd.array([None, *range(99)], dtype="Int64"),
            "kind": pd.Categorical(["even", "odd"] * 50),
            "when": pd.date_range("2020", periods=100, tz="UTC"),
            "day": pd.date_range("2020", periods=100),
            "gap": [None, "x"] * 50,
        }
    )


def _polars_table() -> Any:
    return pl.DataFrame(
        {
            "number": X[:, 0],
            "text": [f"row {number}" for number in Y],
            "perhaps": [None, *range(99)],
            "flag": [True, None] * 50,
            "day": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 4, 9), eager=True),
        }
    )


def _pipeline(x: Any = X, y: Any = Y) -> Any:
    return tf.data.Dataset.from_tensor_slices((x, y))


_PyDataset: Any = keras_.utils.PyDataset


class Batches(_PyDataset):
    """Batches with noise from a generator of its own and from NumPy's and Python's."""

    def __init__(self, batches: float = 10) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self.own = np.random.default_rng(3)
        self.x = X
        self.batches = batches

    @property
    def num_batches(self) -> float | None:
        return self.batches

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        rows = slice(number * 10, number * 10 + 10)
        noise = self.own.random() + np.random.random() + random.random()  # noqa: S311 - as a user may
        return self.x[rows] + np.float32(noise), Y[rows]


CASES: dict[str, tuple[Any, Any]] = {
    "numpy": ((X, Y), (X[ORDER], Y[ORDER])),
    "arrays": (({"a": X, "b": [Y, Y]},), ({"a": X[ORDER], "b": [Y[ORDER], Y[ORDER]]},)),
    "pandas": ((_table(),), (_table().iloc[ORDER],)),
    "polars": ((_polars_table(),), (_polars_table()[ORDER.tolist()],)),
    "tf.data": ((_pipeline(),), (_pipeline(X[ORDER], Y[ORDER]),)),
}


@pytest.mark.parametrize("kind", CASES)
def test_order_changes_one_digest_and_not_the_other(kind: str) -> None:
    one, two = (_of(*data) for data in CASES[kind])
    assert one.kind == two.kind == kind
    assert one.rows == two.rows == 100
    assert isinstance(one.digest, str)
    assert one.digest != two.digest
    assert isinstance(one.order_free, str)
    assert one.order_free == two.order_free


@pytest.mark.parametrize("column", ["number", "text", "perhaps", "kind", "when", "day", "gap"])
def test_every_column_of_a_table_counts(column: str) -> None:
    table = _table()
    table.loc[7, column] = table.loc[8, column]
    changed = _of(table)
    assert changed.digest != _of(_table()).digest
    assert changed.order_free != _of(_table()).order_free


def test_the_same_rows_are_the_same_in_an_array_and_in_a_pipeline() -> None:
    assert _of(_pipeline()).order_free == _of(X, Y).order_free


def test_a_tensor_and_a_series_are_arrays() -> None:
    assert _of(tf.constant(X)).order_free == _of(X).order_free
    assert _of(pd.Series(Y)).order_free == _of(pl.Series(Y)).order_free


def test_rows_that_are_not_numbers_count_by_their_bits() -> None:
    nan = X.copy()
    nan[3] = np.nan
    other = nan.copy()
    other.view("u4")[3, 0] ^= 1  # another NaN
    assert len({str(_of(array).digest) for array in (X, nan, nan.copy(), other)}) == 3


def _doubled(x: Any, y: Any) -> Any:
    return x * 2, y


def _uneven(x: Any, y: Any) -> Any:
    return x[: y % 3], y


def _by_python(x: Any, y: Any) -> Any:
    return tf.py_function(_same, [x], "float32"), y


def _same(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (_pipeline().batch(7), ""),
        (_pipeline().batch(7).prefetch(2), ""),
        (_pipeline().shuffle(100).batch(7).prefetch(2), "before its shuffle"),
        (_pipeline().cache().shuffle(10).batch(9), "before its cache and shuffle"),
        (_pipeline().batch(5).repeat(), "before its repeat"),
        (_pipeline().shuffle(100).map(_doubled), "before its shuffle and map"),
    ],
)
def test_a_pipeline_is_read_before_what_only_arranges_it(data: Any, read: str) -> None:
    found = _of(data)
    assert (found.digest, found.rows) == (_of(_pipeline()).digest, 100)
    assert found.read == read


def test_reading_a_pipeline_leaves_the_order_of_its_epochs_alone() -> None:
    def epochs(*, fingerprinted: bool) -> list[list[int]]:
        keras_.utils.set_random_seed(7)
        data = _pipeline(Y, Y).shuffle(100)
        if fingerprinted:
            _of(data)
        return [[int(y) for _, y in data] for _ in range(2)]

    assert epochs(fingerprinted=True) == epochs(fingerprinted=False)


def test_reading_a_pydataset_leaves_it_and_all_generators_alone() -> None:
    def drawn(*, fingerprinted: bool) -> list[Any]:
        keras_.utils.set_random_seed(7)
        data = Batches()
        found = _of(data) if fingerprinted else None
        if found is not None:
            assert (found.kind, found.rows) == ("PyDataset", 100)
        return [data[0][0].tolist(), data.own.random(), np.random.random(), random.getrandbits(9)]

    assert drawn(fingerprinted=True) == drawn(fingerprinted=False)


class InPlace(Batches):
    """Batches that are changed where they lie."""

    def __init__(self) -> None:
        super().__init__()
        self.x = X.copy()

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        self.x[number] += 1
        return super().__getitem__(number)


def test_a_pydataset_that_writes_to_its_arrays_is_left_as_it_was() -> None:
    data = InPlace()
    assert "read-only" in str(_of(data).digest)
    assert (data.x == X).all()


class Uncopied(Batches):
    """Batches that hold what cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.held = (number for number in range(3))


class Failing(Batches):
    """Batches of which one cannot be read."""

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        if number == 3:
            raise FileNotFoundError("images/0003.png")
        return super().__getitem__(number)


def _generator() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_generator(), "can be read only once"),
        ("train.csv", "pass a file or folder as path="),
        (object(), "not an array, table or pipeline"),
        (np.array([{}, 1], object), "Python objects"),
        (np.ma.masked_array(X, X > 1), "masked array"),
        (pd.DataFrame(), "no column"),
        (pd.DataFrame({"a": [{}, []]}), "Python objects"),
        (Batches(float("inf")), "no end"),
        (Uncopied(), "cannot be copied"),
        (Failing(), "images/0003.png"),
        (_pipeline().take(0), "no examples"),
        (tf.data.Dataset.random(1).map(_same), "no end"),
        (
            tf.data.Dataset.from_generator(
                _generator, output_signature=tf.TensorSpec((), tf.int32)
            ),
            "runs Python code",
        ),
        (
            _pipeline().map(_by_python),
            "runs Python code",
        ),
        (tf.data.Dataset.zip(_pipeline(), _pipeline().shuffle(3)), "shuffled inside"),
        (
            tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[1], [2, 3]])),
            "RaggedTensor",
        ),
        (None, "neither x nor path="),
    ],
)
def test_what_cannot_be_read_has_a_reason(data: Any, reason: str) -> None:
    found = _of(data)
    assert isinstance(found.digest, Unavailable)
    assert reason in str(found.digest)
    assert found.kind == "unknown"


def _ones(size: Any) -> Any:
    return tf.ones((size, 2))


def test_examples_of_many_sizes_are_streamed() -> None:
    def images(*sizes: int) -> Any:
        data = tf.data.Dataset.from_tensor_slices(list(sizes))
        return data.map(_ones)

    one = _of(images(3, 1, 1))
    assert one.rows == 3
    assert one.digest != _of(images(1, 3, 1)).digest
    assert one.order_free == _of(images(1, 3, 1)).order_free


def test_texts_are_data() -> None:
    texts = tf.data.Dataset.from_tensor_slices(["one", "two"])
    assert _of(texts).rows == 2
    assert _of(texts).digest != _of(texts.skip(1)).digest


def test_targets_that_are_too_few_leave_no_rows_to_compare() -> None:
    found = dataset_of("train", X, Y[:5])
    assert isinstance(found.dataset.digest, str)
    assert found.dataset.rows == Unavailable(
        unavailable="its arrays have different numbers of rows"
    )
    assert found.kept is None


def test_above_a_size_a_sample_is_read_and_said_to_be_one() -> None:
    limits = Limits(array_bytes=1000)
    one = _of(X, limits=limits)
    assert one.read == "one row of every 4 of 1 MB"
    assert one.rows == 25
    stream = _of(_pipeline().batch(10), limits=Limits(stream_bytes=10))
    assert stream.read == ""
    ragged = _pipeline().map(_uneven)
    assert _of(ragged, limits=Limits(stream_bytes=10)).read == "the first 2 rows"


def test_what_takes_too_long_has_no_digest() -> None:
    data = _pipeline().map(_uneven)
    assert "took longer than" in str(_of(data, limits=Limits(seconds=-1)).digest)


def _wide(number: Any) -> Any:
    return tf.fill((2_500,), tf.cast(number, tf.float32))


def test_a_pipeline_larger_than_memory_is_read_piece_by_piece() -> None:
    rows = tf.data.Dataset.range(4_000).map(_wide)
    tracemalloc.start()
    found = _of(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rows == 4_000
    assert peak < 4_000 * 2_500 * 4 / 2


def test_a_part_may_have_its_path_beside_it(tmp_path: Path) -> None:
    (tmp_path / "train.npy").write_bytes(X.tobytes())
    found = _of(X, path=str(tmp_path / "train.npy"))
    assert found.kind == "numpy"
    assert found.files is not None
    assert (found.files.count, found.files.size_bytes) == (1, X.nbytes)
