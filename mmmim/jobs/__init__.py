"""Graphs of commands that survive a kill: jobs, markers of what is done, a scheduler on few cores.

Shared by the main job (mmmim.quickstart) and the living table (mmmim.living_table).
"""
