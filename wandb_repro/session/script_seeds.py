"""What the script itself did to Keras and TensorFlow before us. Read only."""

from __future__ import annotations

import sys
from typing import Any, cast

__all__ = ["model_was_built", "seeds_of_script"]


def _keras_attribute(name: str) -> object:
    """Return what Keras keeps under a name for the whole process; None when it cannot be read.

    NOTE: private to Keras; its absence only makes the record say ``unknown``.
    """
    state = sys.modules.get("keras.src.backend.common.global_state")
    try:
        return cast("Any", state).get_global_attribute(name)
    except (AttributeError, TypeError):
        return None


def model_was_built() -> bool:
    """Tell whether Keras has named a layer or model in this process: it may hold weights."""
    return bool(_keras_attribute("object_name_uids"))


def seeds_of_script(ours: int | None) -> dict[str, int]:
    """Return each generator's seed that somebody other than us set last, as far as it shows.

    ``keras.utils.set_random_seed`` sets four generators; ``tf.random.set_seed`` TensorFlow's
    alone. Python and NumPy do not tell whether they were seeded.

    Args:
        ours: the seed that we set; None when we set none.
    """
    keras = _keras_attribute("global_random_seed")
    if isinstance(keras, int) and keras != ours:
        return dict.fromkeys(("python", "numpy", "keras"), keras) | _tensorflow(None)
    return _tensorflow(ours)


def _tensorflow(ours: int | None) -> dict[str, int]:
    context = sys.modules.get("tensorflow.python.eager.context")
    seed: object = getattr(context, "global_seed", lambda: None)()
    return {"tensorflow": seed} if isinstance(seed, int) and seed != ours else {}
