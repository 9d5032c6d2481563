"""The main job on the embedded data set: pre-train, transfer to three tasks, table and report.

    python tools/quickstart.py            # one seed, at most 15 minutes on 2 cores
    python tools/quickstart.py --full     # three seeds, learning rates chosen on the tune split
    python tools/quickstart.py --data DIR # pre-train on your own images

tools/quickstart.sh sets the environment up first.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(ROOT))

if __name__ == '__main__':
    try:
        from mmmim.quickstart.main import main
    except (ImportError, RuntimeError) as error:  # the packages underneath are missing or too old
        sys.exit(f'error: {error} Run `bash tools/quickstart.sh`, which installs what is needed.')
    sys.exit(main(ROOT))
