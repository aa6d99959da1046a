"""Compares two records and judges them. Pure: values in, values out."""
