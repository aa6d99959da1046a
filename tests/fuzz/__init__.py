"""What a stranger may send, thrown at everything that reads it.

``test_readers.py`` is part of the suite. The same readers for ten minutes, led by coverage if
atheris is installed (``pip install atheris``), else by chance::

    python -m tests.fuzz --seconds 600

A reader takes any bytes and returns, or raises an error of ``wandb_repro/errors.py``. What else it
raises is a finding; the bytes are written to ``crash-...`` and belong into a test.
"""
