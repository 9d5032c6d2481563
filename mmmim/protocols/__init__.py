"""All transfer protocols of one checkpoint: `tools/transfer.py`."""
