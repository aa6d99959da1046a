"""What a card takes and weighs, and what our writes add to the end of a run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.children import QUIET, lines_told
from tests.support.many_packages import many_packages
from tests.support.records import full_manifest, moment, trail
from wandb_repro.report.card import CardExtras, card
from wandb_repro.verify.audit import audit

_PACKAGES = 345
_EPOCHS = 1000
_ROUNDS = 9
_RUNS = 7

_WRITES = """
import time
import keras, numpy as np
import wandb_repro
from wandb_repro.keras import ReproCallback
from wandb_repro.recording import card
from wandb_repro.recording.session import Session

spent = []


def timed(owner, name):
    write = getattr(owner, name)

    def written(*given):
        started = time.perf_counter()
        try:
            return write(*given)
        finally:
            spent.append(time.perf_counter() - started)

    setattr(owner, name, written)


run = wandb_repro.init(project="benchmark", seed=1)
x = np.random.default_rng(0).normal(size=(640, 64)).astype("float32")
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[ReproCallback()])
timed(Session, "_publish_config")
timed(card, "card_entry")
timed(Session, "_publish_summary")
timed(Session, "_give_files")
run.finish()
print(len(spent), sum(spent))
"""


def measure() -> Iterator[str]:
    manifest = many_packages(full_manifest(), _PACKAGES)
    long = trail([moment(epoch=epoch, step=9 * epoch) for epoch in range(1, _EPOCHS + 1)])
    short = trail()
    seen = CardExtras(changes="+x = 1\n" * 1500)

    def made(of: object) -> str:
        return card("ada/digits/a", manifest, long if of is long else short, (), seen)

    audit(manifest, long)
    whole, few = _median_ms(lambda: made(long)), _median_ms(lambda: made(short))
    looked = _median_ms(lambda: audit(manifest, long))
    size = len(made(long).encode()) / 1000
    yield f"{_PACKAGES} packages and {_EPOCHS:,} epochs: {size:.0f} kB   (budget 300)"
    yield (
        f"to make it {whole:.0f} ms, of which the long trail {whole - few:.0f} ms; "
        f"its findings {looked:.0f} ms more   (budget 50)"
    )
    with tempfile.TemporaryDirectory() as name:
        told = [lines_told(_WRITES, Path(name), dict(QUIET))[-1].split() for _ in range(_RUNS)]
    assert {count for count, _ in told} == {"4"}, told
    writes = sorted(1000 * float(seconds) for _, seconds in told)
    yield (
        f"columns, strings, card and files given to W&B at the end of {_RUNS} trainings: "
        f"{median(writes):.1f} ms, {writes[0]:.1f} to {writes[-1]:.1f}   (budget 5)"
    )
    yield "a step: nothing of ours is written to W&B (asserted by tests/online/test_recording.py)"


def _median_ms(do: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        do()
        times.append(1000 * (time.perf_counter() - started))
    return median(times)
