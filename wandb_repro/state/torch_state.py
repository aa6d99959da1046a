"""Reads the state of PyTorch's modules and optimizers. Nothing is changed or imported."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array


def is_module(value: object) -> bool:
    """Tell whether this is a ``torch.nn.Module``."""
    torch: Any = sys.modules.get("torch")
    return hasattr(torch, "nn") and isinstance(value, torch.nn.Module)


def is_optimizer(value: object) -> bool:
    """Tell whether this is a ``torch.optim.Optimizer``."""
    torch: Any = sys.modules.get("torch")
    return hasattr(torch, "optim") and isinstance(value, torch.optim.Optimizer)


def is_tensor(value: object) -> bool:
    """Tell whether this is a ``torch.Tensor``."""
    torch: Any = sys.modules.get("torch")
    return hasattr(torch, "Tensor") and isinstance(value, torch.Tensor)


def is_built(module: Any) -> bool:
    """Tell whether each parameter has its shape; lazy modules get theirs in the first step."""
    torch: Any = sys.modules["torch"]
    lazy = torch.nn.parameter.UninitializedTensorMixin
    return not any(isinstance(tensor, lazy) for _, tensor in tensors_of(module))


def read_module(module: object) -> list[Variable]:
    """Return a module's parameters and buffers on the host, first those that are trained.

    The order within a group is that of ``state_dict``; buffers that ``state_dict`` leaves out
    (``persistent=False``) are included. A parameter that two modules share is read once.
    """
    found = [(_group(tensor), name, tensor) for name, tensor in tensors_of(module)]
    found.sort(key=lambda entry: entry[0] != "trainable")
    return [Variable(group, name, on_host(tensor)) for group, name, tensor in found]


def _group(tensor: Any) -> str:
    return "trainable" if tensor.requires_grad else "non_trainable"


def tensors_of(module: object) -> Iterator[tuple[str, Any]]:
    """Yield a module's parameters and buffers with their names, each once."""
    known = set[int]()
    for prefix, part in cast("Any", module).named_modules():
        both = (part.named_parameters(prefix, recurse=False), part.named_buffers(prefix, False))
        for name, tensor in (entry for entries in both for entry in entries):
            if id(tensor) not in known:
                known.add(id(tensor))
                yield name, tensor


def names_of(modules: Iterable[object]) -> dict[int, str]:
    """Return the name of each parameter of these modules, by its id."""
    named = (tensors_of(module) for module in modules)
    return {id(tensor): name for entries in named for name, tensor in entries}


def read_optimizer(optimizer: object, names: Mapping[int, str] | None = None) -> list[Variable]:
    """Return an optimizer's state and the numbers of its parameter groups on the host.

    Args:
        optimizer: a ``torch.optim.Optimizer``.
        names: of its parameters, by id, for labels such as ``Adam/0.weight/exp_avg``; a parameter
            without one is labelled by its position.
    """
    it: Any = optimizer
    kind = type(it).__name__
    found: list[tuple[str, Any]] = []
    position = 0
    for number, group in enumerate(it.param_groups):
        for key, value in group.items():
            if key not in ("params", "param_names"):
                found += _numbers(f"{kind}/group {number}/{key}", value)
        for parameter in group["params"]:
            name = (names or {}).get(id(parameter), f"parameter {position}")
            position += 1
            # ``state`` makes an entry for every parameter that is only asked for.
            for key, value in it.state.get(parameter, {}).items():
                found += _numbers(f"{kind}/{name}/{key}", value)
    return [Variable("optimizer", label, on_host(value)) for label, value in found]


def read_parameters(optimizer: object, without: Container[int]) -> Iterator[Variable]:
    """Yield the parameters of an optimizer, but for those whose ids are in ``without``."""
    it: Any = optimizer
    parameters = [each for group in it.param_groups for each in group["params"]]
    for position, parameter in enumerate(parameters):
        if id(parameter) not in without:
            yield Variable("trainable", f"parameter {position}", on_host(parameter))


def read_state_dict(state: Mapping[Any, object], label: str) -> list[Variable]:
    """Return the numbers and tensors in a ``state_dict``, such as a learning rate scheduler's."""
    return [Variable("optimizer", name, on_host(value)) for name, value in _numbers(label, state)]


def _numbers(label: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the numbers and tensors in a value, with labels; other objects are no state."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[Any, Any]", value).items():
            yield from _numbers(f"{label}/{key}", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(cast("Sequence[Any]", value)):
            yield from _numbers(f"{label}[{index}]", item)
    elif isinstance(value, (bool, int, float, complex)) or is_tensor(value):
        yield label, value


def on_host(value: Any) -> Array:
    """Return a tensor or a Python number as an array.

    On a CPU the array shares the tensor's memory. NumPy has no 16-bit "brain" floats and no 8-bit
    floats: these become float32, which holds each of their values, as in Keras.
    """
    numpy: Any = sys.modules["numpy"]
    if not is_tensor(value):
        return cast("Array", numpy.asarray(value))
    tensor = value.detach()
    if tensor.is_floating_point() and tensor.element_size() <= _HALF and not _is_half(tensor):
        tensor = tensor.float()
    return cast("Array", tensor.resolve_conj().resolve_neg().cpu().numpy())


def as_tensor(array: Any) -> Any:
    """Return an array as a tensor with memory of its own."""
    torch: Any = sys.modules.get("torch")
    return array if torch is None else torch.from_numpy(sys.modules["numpy"].array(array))


def like(tensor: Any, array: Any) -> Any:
    """Return an array as a new tensor, with the dtype and device of another."""
    return as_tensor(array).to(dtype=tensor.dtype, device=tensor.device)


def copy_into(tensor: Any, array: Any) -> None:
    """Give a tensor the values of an array, in place, unnoticed by autograd."""
    with sys.modules["torch"].no_grad():
        tensor.copy_(as_tensor(array))


_HALF = 2
"""Bytes."""


def _is_half(tensor: Any) -> bool:
    return tensor.dtype == sys.modules["torch"].float16
