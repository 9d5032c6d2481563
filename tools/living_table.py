#!/usr/bin/env python
"""Every method for the same number of images on the embedded data: transfer, cost, docs/results.md.

python tools/living_table.py                                  # everything; hours, resumable
python tools/living_table.py --methods papers --seeds 2 --images 100000
python tools/living_table.py --methods mae,scratch --tasks ft,lin,knn,det,seg
python tools/living_table.py --render-only                    # the page, from what is done
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(ROOT))

if __name__ == '__main__':
    try:
        from mmmim.living_table.main import main
    except (ImportError, RuntimeError) as error:  # the packages underneath are missing or too old
        sys.exit(f'error: {error} Run `bash tools/setup_env.sh`, which installs what is needed.')
    sys.exit(main(ROOT))
