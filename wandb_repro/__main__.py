"""``python -m wandb_repro`` is ``wandb-repro``."""

from wandb_repro.cli.main import main

main(prog_name="wandb-repro")
