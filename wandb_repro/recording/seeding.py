"""Sets seeds and determinism, records what was set and when, and reads the script's seeds."""

from __future__ import annotations

import os
import random
import secrets
import sys
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from types import ModuleType
from typing import Any, Literal, cast

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.training import Determinism, Seed, Seeds, Switch
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import warn_once

When = Literal["before import", "before first use", "after first use", "unknown", "never"]

_OURS = "wandb_repro.init"
_THE_SCRIPT = "the script"
_UNKNOWN = Unavailable(unavailable="it does not report whether the script seeded it")


def drawn_seed() -> int:
    """Return a new seed from the system, without using a generator of the training."""
    return secrets.randbelow(2**31)


@dataclass(eq=False)
class Seeding:
    """Seeds the process, and reports what was set."""

    seed: int | None
    """Seed of every generator; None leaves them to the script."""
    _: KW_ONLY
    asked: int | None
    """The caller's ``seed=``."""
    deterministic: bool | None
    drawn: bool
    """Whether the seed was drawn here, because none was given."""
    again: bool = False
    """Whether this process was seeded for an earlier run."""
    replaced: int | None = None
    """The seed that the process had before, for no run: ``init`` was given another one."""
    _seeds: dict[str, Seed] = field(default_factory=dict[str, Seed], init=False)
    _switches: dict[str, Switch] = field(default_factory=dict[str, Switch], init=False)

    def apply(self) -> None:
        """Seed every generator that exists, and the others once they are imported. Never raises."""
        if self.seed is None:
            self._leave_to_script()
        else:
            self._seed_generators(self.seed)
        self.switch_on(self.deterministic)

    def switch_on(self, deterministic: bool | None) -> None:
        """Turn determinism on if it is requested."""
        if not deterministic:
            return
        self.deterministic = True
        self._switch("tensorflow", "op determinism", _tensorflow_determinism)
        self._switch("torch", "deterministic algorithms", _torch_determinism)
        if "torch" not in sys.modules:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    def look_again(self) -> None:
        """Record seeds that the script set itself, after us or instead of us."""
        for generator, value in seeds_of_script(self.seed).items():
            self._note(generator, "unknown", value=value, by=_THE_SCRIPT)

    def _leave_to_script(self) -> None:
        for generator in ("python", "numpy"):
            self._seeds[generator] = Seed(
                generator=generator, value=_UNKNOWN, set_by=_THE_SCRIPT, when="unknown"
            )
        self.look_again()
        if self._seeds["python"].value == _UNKNOWN:
            warn_once(
                "the script seeds TensorFlow, but Keras draws initial weights from Python's "
                "random; keras.utils.set_random_seed(...), or init(seed=...), seeds both"
            )

    def _seed_generators(self, seed: int) -> None:
        used = self._when_used()
        if used == "after first use":
            warn_once(
                "a Keras model was built before init: its initial weights were drawn without "
                "this seed and cannot be repeated; call wandb_repro.init before building it"
            )
        # Keras draws initial weights and dropout masks from Python's random; tf.data and stateful
        # operations draw from TensorFlow's global seed.
        # Source: keras/src/utils/rng_utils.py and random/seed_generator.py, Keras 3.15.
        random.seed(seed)
        self._note("python", used if used == "after first use" else "unknown")
        self._later("numpy", lambda numpy: numpy.random.seed(seed), used="unknown")
        self._later("tensorflow", lambda tf: tf.random.set_seed(seed), used=used)
        self._later("torch", lambda torch: torch.manual_seed(seed), used=used)
        if "keras" in sys.modules:
            self._later("keras", lambda keras: keras.utils.set_random_seed(seed), used=used)
        else:
            self._later("keras", lambda keras: None, used=used)  # it draws from Python's random

    def _when_used(self) -> When:
        """Tell whether weights were drawn before; in a later run they may be the earlier run's."""
        if not model_was_built():
            return "before first use"
        return "unknown" if self.again else "after first use"

    def _later(self, name: str, act: Callable[[Any], object], *, used: When) -> None:
        when: When = used if name in sys.modules else "before import"

        def seed(module: ModuleType) -> None:
            act(module)
            self._note(name, when)

        after_import(name, seed)

    def _note(
        self, generator: str, when: When, *, value: int | None = None, by: str = _OURS
    ) -> None:
        text = str(self.seed if value is None else value)
        self._seeds[generator] = Seed(generator=generator, value=text, set_by=by, when=when)

    def _switch(self, module: str, name: str, turn_on: Callable[[Any], object]) -> None:
        if name in self._switches:
            return
        is_imported = module in sys.modules
        when = f"by {_OURS}" if is_imported else f"right after {module} was imported"

        def act(imported: ModuleType) -> None:
            turn_on(imported)
            self._switches[name] = Switch(name=name, value="on", when=when)

        after_import(module, act)

    def seeds(self) -> Seeds:
        """Return which generators were seeded, and by whom."""
        value = str(self.seed) if self.seed is not None else None
        return Seeds(
            seed=value or Unavailable(unavailable="the script sets its own seeds"),
            drawn=self.drawn,
            generators=tuple(self._seeds[name] for name in sorted(self._seeds)),
        )

    def determinism(self) -> Determinism:
        """Return which switches were turned on."""
        return Determinism(
            asked=self.deterministic,
            switches=tuple(self._switches[name] for name in sorted(self._switches)),
        )


def _tensorflow_determinism(tensorflow: Any) -> None:
    tensorflow.config.experimental.enable_op_determinism()


def _torch_determinism(torch: Any) -> None:
    torch.use_deterministic_algorithms(True)


def _keras_attribute(name: str) -> object:
    """Return a process-wide attribute of Keras; None if it cannot be read."""
    # NOTE: private to Keras; its absence only makes the record say ``unknown``.
    state = sys.modules.get("keras.src.backend.common.global_state")
    try:
        return cast("Any", state).get_global_attribute(name)
    except (AttributeError, TypeError):
        return None


def model_was_built() -> bool:
    """Tell whether Keras has named a layer or model in this process: it may hold weights."""
    return bool(_keras_attribute("object_name_uids"))


def seeds_of_script(ours: int | None) -> dict[str, int]:
    """Return the seeds that the script set last, by generator, as far as they can be read.

    ``ours`` is the seed that we set; None if we set none.
    """
    # ``keras.utils.set_random_seed`` sets four generators; ``tf.random.set_seed`` sets only
    # TensorFlow's. Python and NumPy do not report whether they were seeded.
    keras = _keras_attribute("global_random_seed")
    if isinstance(keras, int) and keras != ours:
        return dict.fromkeys(("python", "numpy", "keras"), keras) | _tensorflow(None)
    return _tensorflow(ours)


def _tensorflow(ours: int | None) -> dict[str, int]:
    context = sys.modules.get("tensorflow.python.eager.context")
    seed: object = getattr(context, "global_seed", lambda: None)()
    return {"tensorflow": seed} if isinstance(seed, int) and seed != ours else {}
