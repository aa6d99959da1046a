"""The door to Keras: callbacks that record a training, or make it go on, and what they read."""

from wandb_repro.keras.callback import ReproCallback
from wandb_repro.keras.checkpoint.callback import ReproCheckpoint
from wandb_repro.keras.shuffled import shuffled
from wandb_repro.keras.variables import variables_of

__all__ = ["ReproCallback", "ReproCheckpoint", "shuffled", "variables_of"]
