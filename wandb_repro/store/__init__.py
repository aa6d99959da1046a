"""Where capsules are: folders on this disk and runs on W&B."""
