"""Loss and metrics of two trainings: the same bits, or only the same print."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["printed"]

_SMALL = 1e-3


def printed(metrics: Mapping[str, str]) -> dict[str, str]:
    """Return metrics as Keras prints them, from their exact bits.

    Source: ``keras.utils.Progbar`` of Keras 3.15: four decimals, small values as an exponent.
    """
    return {name: _printed(float.fromhex(value)) for name, value in metrics.items()}


def _printed(value: float) -> str:
    return f"{value:.4e}" if abs(value) <= _SMALL else f"{value:.4f}"
