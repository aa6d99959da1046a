"""Small programs, one for each way in which people train with Keras, and the verdict each must get.

``python -m tests.programs [NAME ...]`` records each, reruns it unchanged and changed in one place,
and prints a table.
"""
