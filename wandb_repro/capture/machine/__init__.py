"""The machine: processor, GPUs, thread counts, frameworks and their switches."""
