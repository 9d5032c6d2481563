"""The main job on the embedded data set: pre-train, transfer to three tasks, table and report.

    python tools/quickstart.py            # one seed, at most 15 minutes on 2 cores
    python tools/quickstart.py --full     # three seeds, learning rates chosen on the tune split
    python tools/quickstart.py --data DIR # pre-train on your own images

tools/quickstart.sh sets the environment up first.
"""

import sys
from pathlib import Path

from mmmim.quickstart.main import main

if __name__ == '__main__':
    sys.exit(main(Path(__file__).resolve().parents[1]))
