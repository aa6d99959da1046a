"""Reads the state of models, optimizers and variables of each framework; changes nothing."""
