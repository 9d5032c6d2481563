#!/usr/bin/env python
"""What a checkpoint transfers: every protocol, one table.

python tools/transfer.py work_dirs/MY_RUN/encoder.pth                       # embedded data
python tools/transfer.py vit.pth --tasks ft,lin --configs ft=CONFIG lin=CONFIG --gpus 8
python tools/transfer.py vit.pth --tasks det --configs det=CONFIG --slurm='--gpus-per-node=8'
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(ROOT))

if __name__ == '__main__':
    try:
        from mmmim.protocols.main import main
    except (ImportError, RuntimeError) as error:  # the packages underneath are missing or too old
        sys.exit(f'error: {error} Run `bash tools/setup_env.sh`, which installs what is needed.')
    sys.exit(main(ROOT))
