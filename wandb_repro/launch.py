"""The name under which every version starts a recorded script: ``python -m wandb_repro.launch``.

A rerun starts the version that its environment holds, so this name never changes.
"""

from __future__ import annotations

import sys

from wandb_repro.child.run_script import main

__all__ = ["main"]

if __name__ == "__main__":
    main(sys.argv[1:])
