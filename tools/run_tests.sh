#!/usr/bin/env bash
# Sets up the environment (tools/setup_env.sh) and runs the tests with coverage.
#
#   bash tools/run_tests.sh                     everything but the tests marked `long`
#   bash tools/run_tests.sh -m long             those alone; any argument of pytest may be given
#   bash tools/run_tests.sh tests/models -n 0   one folder, in one process
#
#   MMMIM_TEST_WORKERS   processes that share the tests (default: the number of cores, at most 8)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bash "$root/tools/setup_env.sh"
python=$(bash "$root/tools/setup_env.sh" --print-python)

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
workers=${MMMIM_TEST_WORKERS:-$((cores < 8 ? cores : 8))}

# The workers take the cores, so each computes on one thread; figures need no display.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} MKL_NUM_THREADS=${MKL_NUM_THREADS:-1} MPLBACKEND=Agg
PATH=$(dirname "$python"):$PATH
export PATH

cd "$root"
status=0
"$python" -m pytest -n "$workers" --dist worksteal --durations=15 --cov --cov-report=term "$@" </dev/null || status=$?

printf 'tests and set-up took %d min %02d s\n' $((SECONDS / 60)) $((SECONDS % 60))
if [[ $status -eq 5 ]]; then
    echo 'no test was run: look at the arguments, or at testpaths in setup.cfg.' >&2
fi
exit "$status"
