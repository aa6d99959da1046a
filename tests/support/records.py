"""Manifests with every fact known, and trails, for tests of what reads them."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM, root_digest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, AddedFile, BundleFile, Code, GitState, LeftOut
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import ArrayDigest, Dataset, InputFile
from wandb_repro.manifest.machine import Accelerator, Framework, Gpu, Machine, Processor, Runtime
from wandb_repro.manifest.manifest import Description, Ending, Execution, Manifest, RunIdentity
from wandb_repro.manifest.packages import Distribution, Interpreter, Packages, Repacked
from wandb_repro.manifest.request import RerunRequest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_file import chained
from wandb_repro.manifest.trail_records import (
    SHORT,
    End,
    Granularity,
    Losses,
    Moment,
    Numbers,
    Shape,
    Start,
    Step,
    Structure,
    TrailRecord,
    Weights,
)
from wandb_repro.manifest.training import Determinism, FitSettings, Seed, Seeds, Switch

__all__ = [
    "absent",
    "changed",
    "end",
    "full_manifest",
    "granularity",
    "lines_of",
    "losses",
    "moment",
    "moments",
    "numbers",
    "rerun_manifest",
    "rerun_request",
    "step",
    "trail",
    "trail_of_steps",
]

SHAPES = (
    Shape(group="trainable", label="dense/kernel", dtype="float32", shape=(64, 10)),
    Shape(group="trainable", label="dense/bias", dtype="float32", shape=(10,)),
    Shape(group="optimizer", label="adam/iteration", dtype="int64", shape=()),
)


def absent(why: str) -> dict[str, str]:
    """Return a fact that could not be had, as a document holds it."""
    return {"unavailable": why}


def full_manifest() -> Manifest:
    """Return a run of which everything is known: two GPUs, a dirty repository, a local package."""
    return Manifest(
        recorded_by="wandb_repro 0.1.0",
        recorded_at="2026-01-02T03:04:05Z",
        run=RunIdentity(
            id="a1b2c3d4",
            name="brisk-sun-7",
            entity="ada",
            project="digits",
            url="https://wandb.example/ada/digits/runs/a1b2c3d4",
            job_type="train",
            group="nightly",
            offline=False,
            rerun_of="ada/digits/00000000",
        ),
        execution=_execution(),
        description=_description(),
        ending=Ending(status="finished", detail=""),
    )


def _execution() -> Execution:
    return Execution(
        command=Command(
            kind="script",
            target="train.py",
            arguments=("--lr", "0.1", "--api-key", "<redacted>"),
            redacted=(3,),
            interpreter_flags=("-X", "utf8"),
            working_directory=".",
            launcher=True,
            environment={"TF_NUM_INTRAOP_THREADS": "2", "PYTHONHASHSEED": "0"},
        ),
        code=_code(),
        packages=_packages(),
        seed="42",
        deterministic=True,
        config={"lr": 0.1, "layers": [64, 10], "name": "small", "warm": None, "big": 2**70},
    )


def _code() -> Code:
    return Code(
        root="/home/ada/digits",
        tree="85330c94822fef95f431e258a87be0fee571bc55",
        files=12,
        bundle=BundleFile(name="code.bundle", sha256=_sha256("bundle"), size_bytes=48_213),
        git=GitState(
            commit="1f7a7f2d4f6f0a9d8a8b8c8d8e8f808182838485",
            branch="main",
            remote="https://git.example/ada/digits.git",
            dirty=True,
            pushed=False,
            changed=("train.py", "notes/new idea.md"),
        ),
        added=Added(
            top="/home/ada/digits",
            tree="d670460b4b4aece5915caf5c68d12f560a9fe3e4",
            bundle=BundleFile(name="added.bundle", sha256=_sha256("added"), size_bytes=812),
            files=(
                AddedFile(path="layers/mine.py", size_bytes=1_204, digest=_digest("layers")),
                AddedFile(path="local.yaml", size_bytes=41, digest=_digest("local")),
            ),
            known_until="end",
        ),
        left_out=(LeftOut(path="data/big.npz", size_bytes=90_000_000, reason="larger than 20 MB"),),
    )


def _packages() -> Packages:
    return Packages(
        interpreter=Interpreter(
            version="3.11.7",
            implementation="cpython",
            build="3.11.7 (main) [GCC 12.2.0]",
            cache_tag="cpython-311",
            executable="/home/ada/venv/bin/python",
            libc="glibc 2.36",
            platform="linux-x86_64",
        ),
        distributions=(
            _distribution("keras", "3.15.1"),
            _distribution("rich", "13.9.4"),
            _distribution("tensorflow-cpu", "2.21.0"),
            Distribution(
                name="tools",
                version="0.3",
                origin="vcs",
                origin_detail="https://git.example/ada/tools@0123456789abcdef",
                installer="pip",
                tags=("py3-none-any",),
                record_digest=_sha256("tools"),
                repacked=Repacked(
                    name="tools-0.3-py3-none-any.whl",
                    sha256=_sha256("wheel"),
                    record_digest=_sha256("tools in a wheel"),
                    size_bytes=1234,
                    left_out=(".env",),
                ),
            ),
        ),
        digest=_sha256("packages"),
    )


def _distribution(name: str, version: str) -> Distribution:
    return Distribution(
        name=name,
        version=version,
        origin="index",
        installer="uv",
        tags=("py3-none-any",),
        record_digest=_sha256(name + version),
    )


def _description() -> Description:
    return Description(
        machine=Machine(
            os="Debian GNU/Linux 12 (bookworm)",
            kernel="6.1.0-18-amd64",
            hostname="lovelace",
            memory_bytes=16 * 2**30,
            container="registry.example/train@sha256:00",
        ),
        runtime=_runtime(),
        accelerator=_accelerator(),
        seeds=Seeds(
            seed="42",
            drawn=False,
            generators=tuple(
                Seed(generator=name, value="42", set_by="wandb_repro.init", when="before first use")
                for name in ("keras", "numpy", "python", "tensorflow")
            ),
        ),
        determinism=Determinism(
            asked=True, switches=(Switch(name="op determinism", value="on", when="by init"),)
        ),
        config={"lr": 0.1, "layers": [64, 10], "best": 0.97},
        data=(
            Dataset(
                name="train",
                kind="numpy",
                arrays=(
                    ArrayDigest(
                        role="x",
                        dtype="float32",
                        shape=(1797, 64),
                        digest=f"{LEAF_ALGORITHM}:c9fda799aeb2ab6f854fba4f5a694bb1",
                    ),
                ),
                digest=f"{ROOT_ALGORITHM}:610e14f54aac7799bedbad2cbd13d780",
            ),
        ),
        inputs=(InputFile(path="../data.csv", absolute="/home/ada/data.csv", size_bytes=10_000),),
        fits=(_settings(),),
    )


def _settings() -> FitSettings:
    return FitSettings(
        fit=1,
        optimizer={"class_name": "Adam", "config": {"name": "adam", "learning_rate": 0.001}},
        loss={"loss": "mse", "loss_weights": None},
        metrics={"metrics": ["accuracy"], "weighted_metrics": None},
        architecture={
            "class_name": "Sequential",
            "config": {
                "name": "digits",
                "layers": [{"class_name": "Dense", "config": {"name": "dense", "units": 10}}],
            },
        },
        dtype_policy="float32",
        jit_compile=False,
        arguments={"batch_size": 32, "epochs": 3},
    )


def _runtime() -> Runtime:
    return Runtime(
        processor=Processor(
            model="AMD EPYC 9654",
            architecture="x86_64",
            instruction_sets=("avx", "avx2", "fma"),
            logical_cores=2,
            affinity_cores=2,
            cgroup_cores=2.0,
            caches=("L1d 32K", "L2 1024K"),
        ),
        intra_op_threads=2,
        intra_op_source="TF_NUM_INTRAOP_THREADS",
        hash_seed="0",
        framework=Framework(
            keras="3.15.1",
            backend="tensorflow",
            backend_version="2.21.0",
            backend_build="v2.21.0-rc1-5-ga481b10260d",
            floatx="float32",
            dtype_policy="float32",
            jit_compile=False,
            run_eagerly=False,
            steps_per_execution=1,
            intra_op_threads=0,
            inter_op_threads=0,
            tensor_float_32=True,
            op_determinism=True,
        ),
    )


def _accelerator() -> Accelerator:
    gpu = Gpu(
        name="NVIDIA H200",
        uuid="GPU-1d0e5a3c",
        memory_bytes=150_754_820_096,
        compute_capability="9.0",
        mig=False,
        other_processes=0,
    )
    return Accelerator(
        gpus=(gpu, gpu.model_copy(update={"uuid": "GPU-2d0e5a3c"})),
        driver="580.65.06",
        cuda_driver="13.0",
        cuda_build="12.5.1",
        cudnn_build="9",
        loaded_libraries=("libcublas.so.12", "libcudnn.so.9"),
    )


def _digest(text: str) -> str:
    return f"sha256:{_sha256(text)}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def changed(manifest: Manifest, changes: Mapping[str, object]) -> Manifest:
    """Return the manifest with other values at paths such as ``execution.seed``.

    A number in a path is a position. Values are as JSON has them.
    """
    document = manifest.model_dump(mode="json")
    for path, value in changes.items():
        *parents, last = path.split(".")
        place: Any = document
        for name in parents:
            place = place[int(name) if name.isdecimal() else name]
        place[int(last) if last.isdecimal() else last] = value
    return Manifest.model_validate_json(json.dumps(document))


def rerun_manifest(changes: Mapping[str, object] | None = None) -> Manifest:
    """Return the record of a rerun of ``full_manifest``, alike in all that matters."""
    own = {"run.id": "e5f6a7b8", "run.rerun_of": "ada/digits/a1b2c3d4"}
    return changed(full_manifest(), {**own, **(changes or {})})


def rerun_request(**changes: Any) -> RerunRequest:
    """Return the request to repeat ``full_manifest`` and stop at the first difference."""
    needed = {
        "capsule": "/capsule",
        "original": "ada/digits/a1b2c3d4",
        "code_root": "/code",
        "whereabouts": "/whereabouts.json",
        "keep_going": False,
        "until_epoch": None,
        "until_step": None,
        "allow_outputs": False,
    }
    return RerunRequest.model_validate({**needed, **changes})


def moment(
    name: Moment = "epoch",
    *,
    fit: int = 1,
    epoch: int = 1,
    step: int = 10,
    leaves: tuple[str, ...] = ("a0", "b0", "c0"),
    metrics: Mapping[str, float] | None = None,
) -> Weights:
    """Return the weights at a moment, three variables unless told otherwise."""
    full = tuple(leaf.ljust(32, "0") for leaf in leaves)
    groups = [shape.group for shape in SHAPES] + ["optimizer"] * len(full)
    return Weights(
        fit=fit,
        moment=name,
        epoch=epoch,
        step=step,
        root=root_digest(zip(groups, full, strict=False)),
        leaves=full,
        metrics={key: value.hex() for key, value in (metrics or {}).items()},
    )


def moments(epochs: int = 3, *, fit: int = 1) -> list[Weights]:
    """Return the moments of a training: initial, the first step, each epoch of ten, final."""
    found = [
        moment("initial", fit=fit, epoch=0, step=0, leaves=("a0", "b0", "c0")),
        moment("step", fit=fit, epoch=0, step=1, leaves=("a01", "b01", "c01")),
    ]
    found += [
        moment(
            "epoch",
            fit=fit,
            epoch=number,
            step=10 * number,
            leaves=(f"a{number}", f"b{number}", f"c{number}"),
            metrics={"loss": 1 / number, "accuracy": 1 - 1 / (number + 1)},
        )
        for number in range(1, epochs + 1)
    ]
    last = (f"a{epochs}", f"b{epochs}", f"c{epochs}")
    found.append(moment("final", fit=fit, epoch=epochs, step=10 * epochs, leaves=last))
    return found


def end(status: Literal["finished", "interrupted", "failed"] = "finished", *, fits: int = 1) -> End:
    """Return the end record."""
    return End(status=status, fits=fits)


def trail(
    records: Iterable[TrailRecord] | None = None,
    *,
    ended: bool = True,
    shapes: tuple[Shape, ...] = SHAPES,
    algorithm: str = ROOT_ALGORITHM,
) -> Trail:
    """Return a trail: a start, the structure, the records, an end."""
    found: list[TrailRecord] = [
        Start(leaf_algorithm=LEAF_ALGORITHM, root_algorithm=algorithm),
        Structure(fit=1, leaves=shapes),
        *(moments() if records is None else records),
    ]
    fits = max((one.fit for one in found if isinstance(one, Weights)), default=1)
    return Trail((*found, *([end(fits=fits)] if ended else [])), torn=False)


def lines_of(records: Iterable[TrailRecord]) -> list[bytes]:
    """Return the lines of a trail's file, chained."""
    lines: list[bytes] = []
    link = ""
    for record in records:
        line, link = chained(record, link)
        lines.append(line)
    return lines


def step(
    number: int,
    changed: str = "0-2",
    leaves: tuple[str, ...] = ("a1", "b1", "c1"),
    *,
    fit: int = 1,
    epoch: int = 0,
    before: str | None = None,
    data: str | None = None,
) -> Step:
    """Return a step record that names these leaves; its root covers only what it names."""
    full = [leaf.ljust(32, "0") for leaf in leaves]
    return Step(
        fit=fit,
        epoch=epoch,
        step=number,
        root=root_digest(("trainable", leaf) for leaf in full),
        changed=changed,
        leaves="".join(leaf[:SHORT] for leaf in full),
        before=before,
        data=data,
    )


def granularity(*, fit: int = 1, every: int = 1) -> Granularity:
    """Return what a fit that is digested every so many steps says of itself."""
    return Granularity(
        fit=fit,
        every=every,
        steps_at_once=1,
        losses="the running means of the epoch",
        before="looked for before every step",
        data=Unavailable(unavailable="the data is distributed"),
    )


def losses(*values: float, fit: int = 1, epoch: int = 0, first: int = 1) -> Losses:
    """Return the losses of steps one after the other."""
    return Losses(
        fit=fit,
        epoch=epoch,
        first=first,
        every=1,
        last=first + len(values) - 1,
        bits={"loss": struct.pack(f">{len(values)}d", *values).hex()},
    )


def numbers(found: Weights) -> Numbers:
    """Return numbers of three leaves."""
    one = struct.pack(">3d", 1.0, 2.0, 3.0).hex()
    return Numbers(
        fit=found.fit,
        moment=found.moment,
        epoch=found.epoch,
        step=found.step,
        algorithm="wrepro-numbers-1",
        norm=one,
        low=one,
        high=one,
        sketch=one * 4,
        non_finite=(0, 0, 1),
    )


def trail_of_steps() -> Trail:
    """Return a trail of steps, with the losses and numbers between them."""
    first = moment("initial", epoch=0, step=0)
    return trail(
        [
            granularity(),
            first,
            numbers(first),
            step(1),
            step(2, "0,2", ("a2", "c2"), before="e" * 32, data="d" * 32),
            step(3, "", ()),
            losses(0.5, 0.25, 0.125),
            moment(metrics={"loss": 0.1}),
        ]
    )
