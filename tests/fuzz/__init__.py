"""What a stranger may send, thrown at everything that reads it.

``test_readers.py`` is part of the suite. The same readers, led by coverage, for ten minutes::

    python3.11 -m venv fuzz && fuzz/bin/pip install atheris -e '.[test]'
    fuzz/bin/python -m tests.fuzz --seconds 600

A reader takes any bytes and returns, or raises an error of ``wandb_repro/errors.py``. What else it
raises is a finding; the bytes are written to ``crash-...`` and belong into a test.
"""
