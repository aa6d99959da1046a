"""The states of the process's random generators.

Source: measured on Keras 3.15, TensorFlow 2.21, NumPy 2.4: each state, saved in one process and
restored in another, gives the same next draw.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Mapping
from typing import Any, cast

import numpy

from wandb_repro.errors import CheckpointError
from wandb_repro.state.keras_state import reading

_numpy = cast("Any", numpy)


def rng_states(registered: Mapping[str, object]) -> dict[str, Any]:
    """Return the state of every global generator and of these, by name.

    Names: ``python``, ``numpy``, ``tensorflow``, ``torch``, ``keras``, ``registered NAME``.

    Args:
        registered: the script's own generators, by name; what is no generator is left out.
    """
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": _numpy.random.get_state(legacy=False),
    }
    if "tensorflow" in sys.modules:
        states["tensorflow"] = _tensorflow()
    if "torch" in sys.modules:
        states["torch"] = _torch()
    keras_generator = _of_keras()
    if keras_generator is not None:
        states["keras"] = _value_of(keras_generator.state)
    for name, generator in registered.items():
        if is_generator(generator):
            states[f"registered {name}"] = _state_of(generator)
    return states


def restore_rng_states(states: Mapping[str, Any], registered: Mapping[str, object]) -> list[str]:
    """Restore states that ``rng_states`` returned; return sentences about those that could not be.

    Args:
        states: by name.
        registered: the script's own generators, by name.

    Raises:
        CheckpointError: a generator refuses its state.
    """
    try:
        random.setstate(states["python"])
        _numpy.random.set_state(states["numpy"])
        if "tensorflow" in states and "tensorflow" in sys.modules:
            _restore_tensorflow(states["tensorflow"])
        if "torch" in states and "torch" in sys.modules:
            _restore_torch(states["torch"])
        if "keras" in states and "keras" in sys.modules:
            _global_of_keras().state.assign(states["keras"])
        return _restore_registered(states, dict(registered))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"The checkpoint holds an invalid state of a random generator: {error}."
        ) from error


def _restore_registered(states: Mapping[str, Any], generators: dict[str, object]) -> list[str]:
    saved = [name for name in states if name.startswith("registered ")]
    for name in saved:
        generator = generators.pop(name.removeprefix("registered "), None)
        if not is_generator(generator):
            return [f"the generator {name} is no longer registered"]
        _restore(generator, states[name])
    return [
        f"the generator {name!r} was not registered when the checkpoint was saved"
        for name in generators
    ]


def _tensorflow() -> dict[str, Any]:
    context = _context()
    rng = getattr(context, "_rng", None)
    generator = _global_generator()
    return {
        "seed": getattr(context, "_seed", None),
        "operations": rng.getstate() if rng is not None else None,
        "generator": generator.state.numpy() if generator is not None else None,
    }


def _restore_tensorflow(state: Mapping[str, Any]) -> None:
    if state["operations"] is not None:
        context = _context()
        context._seed = state["seed"]
        if getattr(context, "_rng", None) is None:
            context._rng = random.Random()  # noqa: S311 - what TensorFlow itself draws from
        context._rng.setstate(state["operations"])
    if state["generator"] is not None:
        tensorflow: Any = sys.modules["tensorflow"]
        tensorflow.random.get_global_generator().state.assign(state["generator"])


def _context() -> Any:
    return cast("Any", importlib.import_module("tensorflow.python.eager.context")).context()


def _global_generator() -> Any:
    """Return TensorFlow's global generator; None if it was not used, without making one."""
    module = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    return getattr(module, "global_generator", None)


def _torch() -> dict[str, Any]:
    torch: Any = sys.modules["torch"]
    devices: list[Any] = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "host": torch.get_rng_state().numpy(),
        "devices": [device.numpy() for device in devices],
    }


def _restore_torch(state: Mapping[str, Any]) -> None:
    torch: Any = sys.modules["torch"]
    torch.set_rng_state(torch.from_numpy(state["host"]))
    if state["devices"]:
        torch.cuda.set_rng_state_all([torch.from_numpy(device) for device in state["devices"]])


def _of_keras() -> Any:
    """Return Keras' global seed generator; None if it was not used yet."""
    state: Any = sys.modules.get("keras.src.backend.common.global_state")
    return state.get_global_attribute("global_seed_generator") if state is not None else None


def _global_of_keras() -> Any:
    module: Any = importlib.import_module("keras.src.random.seed_generator")
    return module.global_seed_generator()


def _kind_of(generator: object) -> str:
    """Return what kind of generator a value is; empty for any other value."""
    kinds: list[tuple[Any, str]] = [
        (_numpy.random.Generator, "numpy"),
        (_numpy.random.RandomState, "numpy, old"),
        (_numpy.random.BitGenerator, "bits"),
        (random.Random, "python"),
    ]
    if "keras" in sys.modules:
        kinds.append((cast("Any", sys.modules["keras"]).random.SeedGenerator, "variable"))
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
    """Return the value of a variable of Keras or TensorFlow as a NumPy array."""
    # NOTE: Keras' conversion makes NumPy warn on TensorFlow.
    return variable.numpy() if hasattr(variable, "numpy") else reading([variable])()[0]


def _restore(generator: Any, state: Any) -> None:
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
    """Tell whether a value is a random generator whose state can be saved.

    False for ``random.SystemRandom``, which has no state.
    """
    return bool(_kind_of(value))
