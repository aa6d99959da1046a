"""What recording 300 installed packages costs, beside two plain ways, in one process.

One lists names and versions. The other reads the same facts by importlib.metadata, csv and
hashlib alone, as the budget of 0.1 s was set by: 90 to 125 ms for 345 packages then.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import lines_told
from tests.benchmarks.installed import PACKAGES, more_packages

_ROUNDS = 7

_SCRIPT = f"""
import csv, hashlib, importlib.metadata, time
from statistics import median
from wandb_repro.capture.packages.modified import find_modified
from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.loaded import Owners
from wandb_repro.capture.packages.installation import _Last, installation
from wandb_repro.capture.packages.record import _FILE
from wandb_repro.files import cache_folder
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.manifest.packages import Packages

host = Host()


def plain():
    return {{(one.name, one.version) for one in importlib.metadata.distributions()}}


def plain_record():
    rows = []
    for one in importlib.metadata.distributions():
        files = csv.reader((one.read_text("RECORD") or "").splitlines())
        kept = sorted(
            ",".join(row[:2])
            for row in files
            if row and not row[0].endswith((".pyc", "/RECORD", "/INSTALLER", "/REQUESTED"))
            and not row[0].startswith(("../", "/"))
        )
        tags = [x for x in (one.read_text("WHEEL") or "").splitlines() if x.startswith("Tag:")]
        told = one.metadata.get_all("Requires-Dist"), one.read_text("entry_points.txt"), tags
        told += one.read_text("INSTALLER"), one.read_text("direct_url.json")
        digest = hashlib.sha256("\\n".join(kept).encode()).hexdigest()
        rows.append((one.name, one.version, digest, told))
    return rows


def record():
    found = probe_packages(host)
    assert isinstance(found, Packages), found
    return found


infos = installation(host.distributions()).chosen


def cold():
    # As in a process that has not recorded a run yet.
    _Last.read = None


def first():
    # As on a machine that has not either.
    (cache_folder() / _FILE).unlink(missing_ok=True)
    return record()


work = {{
    "plain": plain,
    "plain record": plain_record,
    "first": first,
    "record": record,
    "again": record,
    "owners": lambda: Owners(infos),
    "altered": lambda: find_modified(infos),
}}
walls = {{name: [] for name in work}}
cpus = {{name: [] for name in work}}
for _ in range({_ROUNDS}):
    for name, each in work.items():
        if name != "again":
            cold()
        wall, cpu = time.perf_counter(), time.process_time()
        each()
        walls[name].append(time.perf_counter() - wall)
        cpus[name].append(time.process_time() - cpu)
print(len(record().distributions))
for name in work:
    print(median(walls[name]), median(cpus[name]))
"""


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        environment = {
            "PYTHONPATH": str(more_packages(Path(name) / "packages")),
            "WANDB_REPRO_CACHE": str(Path(name) / "cache"),
        }
        count, *times = lines_told(_SCRIPT, Path(name), environment)
    assert int(count) >= PACKAGES, count
    plain, plain_record, first, record, again, owners, altered = (
        tuple(map(float, line.split())) for line in times
    )
    yield f"importlib.metadata, names and versions   {_told(plain)}"
    yield f"all facts, by csv and hashlib            {_told(plain_record)}"
    yield f"recording them, the first of a machine   {_told(first)}"
    yield (
        f"recording {count} packages               {_told(record)}   (budget 0.100), "
        f"{record[1] / plain[1]:.2f} and {record[1] / plain_record[1]:.2f} times as long"
    )
    yield f"of another run of the same process       {_told(again)}"
    yield f"beside the script: owners of files       {_told(owners)}"
    yield f"beside the script: edits by hand         {_told(altered)}"


def _told(times: tuple[float, ...]) -> str:
    return f"{times[0]:.3f} s, of them CPU {times[1]:.3f}"
