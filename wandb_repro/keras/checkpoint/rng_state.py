"""The states of the process' random generators.

Source: which there are, and that each can be put back in another process: measured on Keras 3.15,
TensorFlow 2.21, NumPy 2.4 (state taken in one process, the next draw compared in another).
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Mapping
from typing import Any, cast

import keras
import numpy

from wandb_repro.errors import CheckpointError
from wandb_repro.keras.variables import reading
from wandb_repro.recording.rng_registry import registered

__all__ = ["is_generator", "put_back_generators", "states_of_generators"]

_keras = cast("Any", keras)
_numpy = cast("Any", numpy)


def states_of_generators() -> dict[str, Any]:
    """Return the state of every generator that is known here, by its name."""
    told: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": _numpy.random.get_state(legacy=False),
    }
    if "tensorflow" in sys.modules:
        told["tensorflow"] = _tensorflow()
    if "torch" in sys.modules:
        told["torch"] = _torch()
    of_keras = _of_keras()
    if of_keras is not None:
        told["keras"] = _value_of(of_keras.state)
    for one in registered():
        if is_generator(one.generator):
            told[f"registered {one.name}"] = _state_of(one.generator)
    return told


def put_back_generators(told: Mapping[str, Any]) -> list[str]:
    """Put states back; return what could not be, in words.

    Raises:
        CheckpointError: a state is none of its generator.
    """
    missed: list[str] = []
    try:
        random.setstate(told["python"])
        _numpy.random.set_state(told["numpy"])
        if "tensorflow" in told and "tensorflow" in sys.modules:
            _put_back_tensorflow(told["tensorflow"])
        if "torch" in told and "torch" in sys.modules:
            _put_back_torch(told["torch"])
        if "keras" in told:
            _global_of_keras().state.assign(told["keras"])
        missed += _put_back_registered(told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"The state of a random generator is none: {error}.") from error
    return missed


def _put_back_registered(told: Mapping[str, Any]) -> list[str]:
    there = {one.name: one.generator for one in registered()}
    saved = [name for name in told if name.startswith("registered ")]
    for name in saved:
        generator = there.pop(name.removeprefix("registered "), None)
        if not is_generator(generator):
            return [f"the generator {name} is not registered any more"]
        _put_back(generator, told[name])
    return [
        f"the generator {name!r} was not registered when the checkpoint was saved" for name in there
    ]


def _tensorflow() -> dict[str, Any]:
    context = _context()
    rng = getattr(context, "_rng", None)
    found = _global_generator()
    return {
        "seed": getattr(context, "_seed", None),
        "operations": rng.getstate() if rng is not None else None,
        "generator": found.state.numpy() if found is not None else None,
    }


def _put_back_tensorflow(told: Mapping[str, Any]) -> None:
    if told["operations"] is not None:
        context = _context()
        context._seed = told["seed"]
        if getattr(context, "_rng", None) is None:
            context._rng = random.Random()  # noqa: S311 - what TensorFlow itself draws from
        context._rng.setstate(told["operations"])
    if told["generator"] is not None:
        tensorflow: Any = sys.modules["tensorflow"]
        tensorflow.random.get_global_generator().state.assign(told["generator"])


def _context() -> Any:
    return cast("Any", importlib.import_module("tensorflow.python.eager.context")).context()


def _global_generator() -> Any:
    """Return TensorFlow's global generator, without making one where there is none."""
    module = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    return getattr(module, "global_generator", None)


def _torch() -> dict[str, Any]:
    torch: Any = sys.modules["torch"]
    devices: list[Any] = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "host": torch.get_rng_state().numpy(),
        "devices": [one.numpy() for one in devices],
    }


def _put_back_torch(told: Mapping[str, Any]) -> None:
    torch: Any = sys.modules["torch"]
    torch.set_rng_state(torch.from_numpy(told["host"]))
    if told["devices"]:
        torch.cuda.set_rng_state_all([torch.from_numpy(one) for one in told["devices"]])


def _of_keras() -> Any:
    """Return Keras' global seed generator; None where nobody used it yet."""
    state: Any = importlib.import_module("keras.src.backend.common.global_state")
    return state.get_global_attribute("global_seed_generator")


def _global_of_keras() -> Any:
    module: Any = importlib.import_module("keras.src.random.seed_generator")
    return module.global_seed_generator()


def _kind_of(generator: object) -> str:
    """Return what kind of generator a value is; empty of what is none."""
    kinds: list[tuple[Any, str]] = [
        (_numpy.random.Generator, "numpy"),
        (_numpy.random.RandomState, "numpy, old"),
        (_numpy.random.BitGenerator, "bits"),
        (random.Random, "python"),
        (_keras.random.SeedGenerator, "variable"),
    ]
    if "tensorflow" in sys.modules:
        kinds.append((cast("Any", sys.modules["tensorflow"]).random.Generator, "variable"))
    if "torch" in sys.modules:
        kinds.append((cast("Any", sys.modules["torch"]).Generator, "torch"))
    if isinstance(generator, random.SystemRandom):
        return ""
    return next((name for kind, name in kinds if isinstance(generator, kind)), "")


def _state_of(generator: Any) -> Any:
    kind = _kind_of(generator)
    if kind == "numpy":
        return generator.bit_generator.state
    if kind == "numpy, old":
        return generator.get_state(legacy=False)
    if kind == "python":
        return generator.getstate()
    if kind == "torch":
        return generator.get_state().numpy()
    return _value_of(generator.state) if kind == "variable" else generator.state


def _value_of(variable: Any) -> Any:
    """Return what a variable of Keras or TensorFlow holds, without a warning of NumPy's."""
    return variable.numpy() if hasattr(variable, "numpy") else reading([variable])()[0]


def _put_back(generator: Any, state: Any) -> None:
    kind = _kind_of(generator)
    if kind == "numpy":
        generator.bit_generator.state = state
    elif kind == "numpy, old":
        generator.set_state(state)
    elif kind == "python":
        generator.setstate(state)
    elif kind == "torch":
        generator.set_state(cast("Any", sys.modules["torch"]).from_numpy(state))
    elif kind == "variable":
        generator.state.assign(state)
    else:
        generator.state = state


def is_generator(value: object) -> bool:
    """Tell whether a value is a random generator whose state can be kept."""
    return bool(_kind_of(value))
