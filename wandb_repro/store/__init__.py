"""Reads and writes capsules: in folders on this disk and in runs on W&B."""
