#!/usr/bin/env bash
# Sets up everything that mmmim needs, and nothing that is there already: call it as often as you like.
#
#   bash tools/setup_env.sh                  set up; a second call takes seconds
#   bash tools/setup_env.sh --print-python   only print the interpreter that the set-up uses
#
# An active virtual environment (venv or conda) is used, else .venv in the repository.
#   PYTHON          interpreter that makes .venv (3.10, 3.11 or 3.12; default: the first one found)
#   MMMIM_CACHE     where the compiled mmcv is kept (default ${XDG_CACHE_HOME:-~/.cache}/mmmim)
#   MAX_JOBS        compilers at a time (default: one per core and 2 GB of memory)
#   MMMIM_CPU_OPS   1: compile mmcv for the CPU only, although a GPU is visible
# TORCH_CUDA_ARCH_LIST and FORCE_CUDA reach the build of mmcv.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
probe=$root/tools/misc/setup_probe.py
remedies=$root/tools/misc/setup_remedies.py
cache=${MMMIM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/mmmim}
child='' scratch='' python='' folder='' constraints=''

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0 PYTHONUNBUFFERED=1

say() { printf '%s\n' "[set-up $(elapsed "$SECONDS")] $*"; }
elapsed() { printf '%02d:%02d' $(($1 / 60)) $(($1 % 60)); }
die() { printf '%s\n' "set-up failed: $*" >&2; exit 1; }

cleanup() {
    [[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null || true
    [[ -z $scratch ]] || rm -rf "$scratch"
}

# --- which interpreter -----------------------------------------------------------------------------

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }
supported() { [[ $1 =~ ^3\.1[0-2]$ ]]; }

active_python() {
    if [[ -n ${VIRTUAL_ENV:-} ]]; then
        echo "$VIRTUAL_ENV/bin/python"
    elif [[ -n ${CONDA_PREFIX:-} && ${CONDA_DEFAULT_ENV:-base} != base ]]; then
        echo "$CONDA_PREFIX/bin/python"
    fi
}

find_base_python() {
    local name
    for name in ${PYTHON:-python3 python3.11 python3.12 python3.10 python}; do
        if supported "$(version_of "$name")"; then echo "$name"; return; fi
    done
    die "Python 3.10, 3.11 or 3.12 is needed and ${PYTHON:-none of python3, python3.10 to python3.12} is one:" \
        "install it (Debian, Ubuntu: apt-get install python3 python3-venv python3-dev), or name it with PYTHON=..."
}

choose_python() {
    python=$(active_python)
    if [[ -n $python ]]; then
        [[ -x $python ]] || die "the active environment has no $python: deactivate it and call again."
        supported "$(version_of "$python")" || die "the active environment has Python $(version_of "$python")," \
            "which is not supported: deactivate it (a .venv is made then) or activate one of 3.10, 3.11 or 3.12."
    else
        python=$root/.venv/bin/python
    fi
}

make_venv() {
    "$python" -m pip --version >/dev/null 2>&1 && supported "$(version_of "$python")" && return
    [[ $python == "$root/.venv/bin/python" ]] || die "the active environment has no pip:" \
        "run '$python -m ensurepip', or deactivate it so that .venv is made, and call again."
    local base
    base=$(find_base_python)
    say "making $root/.venv with $(command -v "$base") ($("$base" --version))"
    "$base" -m venv --clear "$root/.venv" || die "a virtual environment could not be made:" \
        "install the venv module (Debian, Ubuntu: apt-get install python3-venv), look at the free space, and call again."
}

# --- running steps ---------------------------------------------------------------------------------

# What is happening, from the end of a log: "objects 12/194" of a compilation, or pip's last line.
progress_of() {
    local objects
    objects=$(grep -oE '^ *\[[0-9]+/[0-9]+\]' "$1" 2>/dev/null | tail -n 1 | tr -d ' []' || true)
    if [[ -n $objects ]]; then
        echo "objects compiled $objects"
    else
        grep -E '^ *(Collecting|Downloading|Building|Installing|Preparing)' "$1" 2>/dev/null \
            | tail -n 1 | sed 's/^ *//' | cut -c1-70 || true
    fi
}

# step LABEL COMMAND...: run in the background with a line of progress; returns the command's status.
step() {
    local label=$1 log status=0 start=$SECONDS shown=$SECONDS every=15 pause=0.05
    shift
    log=$folder/${label// /-}.log
    [[ -t 1 ]] && every=1
    set -m  # its own process group, so that an interrupt ends the compilers too
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    set +m
    while kill -0 "$child" 2>/dev/null; do
        sleep "$pause"
        if ((SECONDS - start > 2)); then pause=0.5; fi
        if ((SECONDS - shown >= every)); then
            shown=$SECONDS
            if [[ -t 1 ]]; then printf '\r\033[K'; fi
            printf '%s' "[set-up $(elapsed "$SECONDS")] $label, $(elapsed $((SECONDS - start))): $(progress_of "$log")"
            if [[ ! -t 1 ]]; then printf '\n'; fi
        fi
    done
    if [[ -t 1 ]]; then printf '\r\033[K'; fi
    wait "$child" || status=$?
    child=''
    return "$status"
}

# must LABEL COMMAND...: a step whose failure ends the set-up with what to do.
must() {
    if ! step "$@"; then
        local log=$folder/${1// /-}.log
        grep -v 'WARNING: Location' "$log" | tail -n 15 | cut -c1-300 >&2
        die "$1: $("$python" "$remedies" "$log")"
    fi
}

pip_install() { "$python" -m pip install -c "$constraints" "$@"; }

need_space() {  # need_space PATH GIGABYTES WHAT
    local path=$1 free
    while [[ ! -e $path ]]; do path=$(dirname "$path"); done
    free=$(df -Pk "$path" | awk 'NR == 2 {print int($4 / 1048576)}')
    [[ $free -ge $2 ]] || die "$3 needs about $2 GB in $1, which has $free GB free: make room and call again."
}

need_compiler() {
    local header
    command -v "${CXX:-c++}" >/dev/null || die "mmcv is compiled and there is no C++ compiler (${CXX:-c++}):" \
        "install one (Debian, Ubuntu: apt-get install g++) and call again."
    header=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"] + "/Python.h")')
    [[ -e $header ]] || die "mmcv is compiled and $header is missing:" \
        "install the headers of Python (Debian, Ubuntu: apt-get install python3-dev) and call again."
}

# --- the parts -------------------------------------------------------------------------------------

install_torch() {
    local reason
    if reason=$("$python" "$probe" torch); then
        say "$reason"
    else
        say "$reason: installing the pinned one"
        need_space "$("$python" -c 'import sys; print(sys.prefix)')" 10 "torch with its CUDA libraries"
        # shellcheck disable=SC2046  # two requirements, two words
        must "torch" "$python" -m pip install -c "$root/requirements/constraints.txt" \
            $("$python" "$probe" pins torch torchvision)
        reason=$("$python" "$probe" torch) || die "the installed torch does not run: $reason." \
            "Call again; if it stays, remove the environment (${python%/bin/python}) and call again."
    fi
    "$python" "$probe" constraints >"$constraints"
}

install_build_tools() {
    # shellcheck disable=SC2046
    must "build tools" pip_install $("$python" "$probe" pins ninja setuptools wheel)
}

# Where neither libGL nor another library of a desktop is installed, OpenCV's build without them does the same.
ensure_opencv() {
    "$python" -c 'import cv2' 2>"$folder/opencv.log" && return
    must "opencv" pip_install --force-reinstall --no-deps opencv-python-headless
    "$python" -c 'import cv2' 2>"$folder/opencv.log" || die "opencv: $("$python" "$remedies" "$folder/opencv.log")"
}

# use_wheel FOLDER: install the wheel in it and run its ops; on failure `reason` says what went wrong.
use_wheel() {
    local wheel
    wheel=$(find "$1" -name '*.whl' | head -n 1)
    reason='there is no wheel in it'
    [[ -n $wheel ]] || return 1
    reason="$wheel cannot be installed"
    step "installing mmcv" "$python" -m pip install --force-reinstall --no-deps "$wheel" || return 1
    must "what mmcv needs" pip_install onedl-mmcv
    ensure_opencv
    reason=$("$python" "$probe" ops)
}

build_mmcv() {  # build_mmcv REQUIREMENT FOLDER
    local jobs memory
    need_compiler
    need_space "${TMPDIR:-/tmp}" 2 "compiling mmcv"
    jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    memory=$(awk '/MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo 2>/dev/null || true)
    if [[ -n $memory && $memory -lt $jobs ]]; then jobs=$((memory > 0 ? memory : 1)); fi
    say "compiling $1 with ${MAX_JOBS:-$jobs} jobs: about 10 minutes on 2 cores, once"
    must "compiling mmcv" env PATH="$(dirname "$python"):$PATH" MMCV_WITH_OPS=1 MAX_JOBS="${MAX_JOBS:-$jobs}" \
        "$python" -m pip wheel -v --no-build-isolation --no-deps --no-cache-dir --no-binary onedl-mmcv \
        --wheel-dir "$2" "$1"
}

# A wheel enters the cache whole and only after its ops have run: built aside, then renamed.
install_mmcv() {
    local requirement key kept reason='' aside=$cache/wheels
    if [[ ${MMMIM_CPU_OPS:-} == 1 ]]; then export CUDA_VISIBLE_DEVICES=''; fi
    requirement=$("$python" "$probe" pins onedl-mmcv)
    key=$("$python" "$probe" wheel-key "${requirement#*==}") || die "torch cannot say how it was built: call again."
    if [[ $(cat "$folder/mmcv" 2>/dev/null || echo "$key") == "$key" ]] && "$python" "$probe" mmcv >/dev/null; then
        say "$requirement with compiled ops is installed"
        echo "$key" >"$folder/mmcv"
        return
    fi
    rm -f "$folder/mmcv"
    kept=$cache/wheels/$key
    if [[ -d $kept ]] && use_wheel "$kept"; then
        say "mmcv with compiled ops comes from $kept"
        echo "$key" >"$folder/mmcv"
        return
    fi
    if [[ -d $kept ]]; then
        say "the kept mmcv does not run ($reason): compiling it anew"
        rm -rf "$kept"
    fi
    if ! mkdir -p "$aside" 2>/dev/null || [[ ! -w $aside ]]; then
        say "$cache cannot be written, so the compiled mmcv is not kept; MMMIM_CACHE names another place"
        aside=${TMPDIR:-/tmp} kept=''
    fi
    scratch=$(mktemp -d "$aside/.building-XXXXXX")
    build_mmcv "$requirement" "$scratch/wheel"
    use_wheel "$scratch/wheel" || die "the compiled mmcv does not run ($reason): check that the compiler (and CUDA," \
        "where a GPU is used) fits torch, with $folder/compiling-mmcv.log at hand, and call again."
    if [[ -n $kept ]]; then
        "$python" -c 'import os, sys; os.rename(*sys.argv[1:])' "$scratch/wheel" "$kept" 2>/dev/null || true
    fi
    echo "$key" >"$folder/mmcv"
    say "mmcv is compiled and its ops run"
}

install_rest() {
    say "installing mmmim, the stack and the tools"
    must "mmmim and its tools" pip_install -e "${root}[all,dev]"
    ensure_opencv
    must "pip check" "$python" -m pip check
}

prepare_folder() {
    folder=$("$python" -c 'import sys; print(sys.prefix)')/mmmim-setup
    mkdir -p "$folder" 2>/dev/null && [[ -w $folder ]] || die "$folder cannot be written:" \
        "use an environment that belongs to you, or none (deactivate), and call again."
    constraints=$folder/constraints.txt
    if command -v flock >/dev/null; then
        exec 9>"$folder/lock"
        flock -n 9 || { say "another set-up of this environment is running: waiting for it"; flock 9; }
    fi
}

main() {
    local reason
    case ${1:-} in
        '') ;;
        --print-python) choose_python; echo "$python"; return ;;
        *) die "unknown argument $1: call it with none, or with --print-python." ;;
    esac
    trap cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    choose_python
    make_venv
    prepare_folder
    if reason=$("$python" "$probe" ready "$folder"); then
        say "the environment of $python is ready"
        return
    fi
    say "setting up the environment of $python: $reason"
    rm -f "$folder/stamp"
    reason=$("$python" "$probe" family) || die "this environment has packages of OpenMMLab itself ($reason), which the" \
        "onedl packages would overwrite: deactivate it (a .venv is made then) or uninstall them, and call again."
    if [[ ! -d $cache/wheels ]] && ! "$python" "$probe" mmcv >/dev/null; then need_compiler; fi
    install_torch
    install_build_tools
    install_mmcv
    install_rest
    "$python" "$probe" stamp >"$folder/stamp"
    reason=$("$python" "$probe" ready "$folder") || die "the finished environment does not work ($reason): remove" \
        "${python%/bin/python} if it is a .venv of yours, and call again."
    say "the environment of $python is ready"
}

main "$@"
