from __future__ import annotations

import pytest

from tests.support.fake_host import FakeHost, fake_module
from tests.support.frameworks import FakeModel, jax, keras, tensorflow, torch
from wandb_repro.capture.machine.framework import probe_framework
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework


def _probe(host: FakeHost, model: object | None) -> Framework:
    told = probe_framework(host, model)
    assert isinstance(told, Framework)
    return told


def _missing(told: Framework) -> set[str]:
    return {name for name, value in told.model_dump().items() if isinstance(value, dict)}


def test_without_keras_there_is_a_reason() -> None:
    told = probe_framework(FakeHost(modules=tensorflow()), None)
    assert told == Unavailable(unavailable="Keras was not imported")


def test_tensorflow_is_told_whole() -> None:
    host = FakeHost(modules={**keras(), **tensorflow(intra=3, inter=5)})
    assert _probe(host, FakeModel()) == Framework(
        keras="3.15.1",
        backend="tensorflow",
        backend_version="2.21.0",
        backend_build="v2.21.0-0-gabc",
        floatx="float32",
        dtype_policy="mixed_float16",
        jit_compile=True,
        run_eagerly=False,
        steps_per_execution=4,
        intra_op_threads=3,
        inter_op_threads=5,
        tensor_float_32=True,
        op_determinism=True,
    )


def test_torch_is_told_whole() -> None:
    told = _probe(FakeHost(modules={**keras("torch"), **torch()}), FakeModel())
    assert not _missing(told)
    assert (told.backend_version, told.backend_build) == ("2.9.0+cpu", "abc")
    assert (told.intra_op_threads, told.inter_op_threads) == (4, 8)
    assert (told.tensor_float_32, told.op_determinism) == (False, False)


def test_what_jax_has_no_setting_for_is_a_reason() -> None:
    told = _probe(FakeHost(modules={**keras("jax"), **jax()}), FakeModel())
    assert (told.backend_version, told.backend_build) == ("0.8.0", "jaxlib 0.8.1")
    threads = {"intra_op_threads", "inter_op_threads"}
    assert _missing(told) == {*threads, "tensor_float_32", "op_determinism"}


def test_before_a_model_trains_tensorflow_is_not_made_to_look_for_devices() -> None:
    asked: list[str] = []
    modules = {**keras(), **tensorflow()}
    threading = modules["tensorflow"].config.threading
    threading.get_intra_op_parallelism_threads = lambda: asked.append("intra")
    told = _probe(FakeHost(modules=modules), None)
    assert told.intra_op_threads == Unavailable(
        unavailable="intra-op threads are read when a model trains"
    )
    assert told.jit_compile == Unavailable(unavailable="no model trained yet")
    assert not asked


def test_a_model_that_was_not_compiled_is_not_asked() -> None:
    host = FakeHost(modules={**keras(), **tensorflow()})
    told = _probe(host, FakeModel(compiled=False))
    assert _missing(told) == {"jit_compile", "run_eagerly", "steps_per_execution"}


@pytest.mark.parametrize(
    ("model", "field", "reason"),
    [
        (FakeModel(jit_compile="auto"), "jit_compile", "jit_compile: str instead of bool"),
        (FakeModel(steps_per_execution=None), "steps_per_execution", "NoneType instead of int"),
        (FakeModel(run_eagerly=0), "run_eagerly", "run_eagerly: int instead of bool"),
    ],
)
def test_a_surprising_value_costs_that_field_only(
    model: FakeModel, field: str, reason: str
) -> None:
    told = _probe(FakeHost(modules={**keras(), **tensorflow()}), model)
    assert _missing(told) == {field}
    assert reason in told.model_dump()[field]["unavailable"]


@pytest.mark.parametrize(
    ("module", "attribute", "missing"),
    [
        ("tensorflow", "version", {"backend_build"}),
        (
            "tensorflow",
            "config",
            {"intra_op_threads", "inter_op_threads", "tensor_float_32"},
        ),
        ("tensorflow.python.framework.config", "is_op_determinism_enabled", {"op_determinism"}),
    ],
)
def test_a_failing_question_costs_its_fields_only(
    module: str, attribute: str, missing: set[str]
) -> None:
    modules = {**keras(), **tensorflow()}
    delattr(modules[module], attribute)
    assert _missing(_probe(FakeHost(modules=modules), FakeModel())) == missing


def test_a_backend_that_is_not_imported_is_a_reason() -> None:
    told = _probe(FakeHost(modules=keras("torch")), FakeModel())
    assert told.backend_version == Unavailable(unavailable="torch was not imported")


def test_a_backend_that_nobody_knows_is_a_reason() -> None:
    modules = {**keras("openvino"), "openvino": fake_module("openvino")}
    told = _probe(FakeHost(modules=modules), FakeModel())
    assert isinstance(told.backend_build, Unavailable)
    assert "openvino is not known" in told.backend_build.unavailable


def test_a_keras_that_is_still_being_imported_is_a_reason() -> None:
    told = probe_framework(FakeHost(modules={"keras": fake_module("keras")}), None)
    assert isinstance(told, Unavailable)
    assert told.unavailable.startswith("Keras: AttributeError")
