"""Code that runs inside the process of a rerun, or of ``wandb-repro run``."""
