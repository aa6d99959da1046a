"""What a card takes and weighs, and what our writes add to the end of a run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.children import median_of
from tests.support.many_packages import many_packages
from tests.support.records import full_manifest, moment, trail
from wandb_repro.report.card import Seen, card
from wandb_repro.verify.audit import audit

_PACKAGES = 345
_EPOCHS = 1000
_ROUNDS = 9

_WRITES = """
import time, pathlib
import wandb
from tests.support.many_packages import many_packages
from tests.support.records import full_manifest, moment, trail
from wandb_repro.session.card import card_entry, write_card, write_first_card
from wandb_repro.session.publish import GivenFiles, publish_config, publish_summary
from wandb_repro.store.base import Capsule

run = wandb.init(project="benchmark")
capsule = Capsule(pathlib.Path(run.dir) / "repro")
capsule.folder.mkdir()
manifest = many_packages(full_manifest(), 100)
sealed = manifest.sealed()
few = trail([moment(epoch=epoch, step=epoch) for epoch in range(1, 11)])
files = GivenFiles(run, capsule)
# As init and the first fit do.
capsule.manifest.write_bytes(sealed.document)
capsule.trail.write_text("{}\\n")
publish_config(run, sealed)
publish_summary(run, {"environment": "e"}, {})
files.give_all()
write_first_card(capsule)
files.await_end()
capsule.manifest.write_bytes(sealed.document)
capsule.trail.write_text("{}\\n{}\\n")
write_card(capsule, manifest, few, None)
started = time.perf_counter()
publish_config(run, sealed)
card = card_entry(run, capsule)
publish_summary(run, {"environment": "e", "manifest": "m", "weights": "w"}, card)
files.give_all()
took = time.perf_counter() - started
run.finish()
print(took)
"""


def measure() -> Iterator[str]:
    manifest = many_packages(full_manifest(), _PACKAGES)
    long = trail([moment(epoch=epoch, step=9 * epoch) for epoch in range(1, _EPOCHS + 1)])
    short = trail()
    seen = Seen(changes="+x = 1\n" * 1500)

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
        (writes,) = median_of(7, (_WRITES, Path(name)), environment={"PYTHONPATH": str(_ROOT)})
    yield f"columns, strings, card and files given to W&B: {1000 * writes:.1f} ms   (budget 5)"
    yield "a step: nothing of ours is written to W&B (asserted by tests/online/test_recording.py)"


_ROOT = Path(__file__).parents[2]


def _median_ms(do: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        do()
        times.append(1000 * (time.perf_counter() - started))
    return median(times)
