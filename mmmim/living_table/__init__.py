"""The living table: every method for the same number of images, what it transfers, what it costs.

Entry: tools/living_table.py.
"""
