"""Exact resume: what a training needs to continue as if it had never stopped."""
