"""The door to Keras: a callback that forwards to the session, and reads variables."""

from wandb_repro.keras.callback import ReproCallback
from wandb_repro.keras.shuffled import shuffled
from wandb_repro.keras.variables import variables_of

__all__ = ["ReproCallback", "shuffled", "variables_of"]
