"""Measures what recording and rerunning cost: ``python -m tests.benchmarks [NAME ...]``.

Each figure is a ratio or a difference of two things measured in the same run, side by side with
its budget. Nothing here is asserted: a machine under load must not fail anybody's build.
"""

from __future__ import annotations

import sys
import time

from tests.benchmarks import (
    audit,
    card,
    data,
    digest,
    foreseen,
    imports,
    init,
    loops,
    losses,
    outputs,
    packages,
    peers,
    rerun,
    resume,
    shuffled,
    steps,
    trail,
    whole_run,
)

BENCHMARKS = {
    "import": imports.measure,
    "packages": packages.measure,
    "init": init.measure,
    "digest": digest.measure,
    "data": data.measure,
    "outputs": outputs.measure,
    "trail": trail.measure,
    "steps": steps.measure,
    "losses": losses.measure,
    "loops": loops.measure,
    "whole-run": whole_run.measure,
    "peers": peers.measure,
    "rerun": rerun.measure,
    "resume": resume.measure,
    "check": foreseen.measure,
    "card": card.measure,
    "audit": audit.measure,
    "shuffled": shuffled.measure,
}


LONG = {"shuffled-all": shuffled.measure_all, "small-fits": whole_run.measure_small_fits}
"""Only by name: over 20 seeds, and 4,500 fits."""


def main(names: list[str]) -> None:
    for name in names or list(BENCHMARKS):
        started = time.perf_counter()
        print(f"== {name}", flush=True)
        for line in {**BENCHMARKS, **LONG}[name]():
            print(f"   {line}", flush=True)
        print(f"   ({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
