"""The main job: data, pre-training, transfer to three tasks, one table and one page.

Entry: tools/quickstart.py.
"""
