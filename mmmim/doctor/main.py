"""The command: gather, judge, try, print."""

from __future__ import annotations

import argparse

from ..compat import BUILD_OPS, family
from ..version import __version__
from .checks import FAULT, NOTE, OK, Finding, examine
from .facts import gather, machine, probe
from .steps import PACKAGES, STEPS

STEP = 'import sys; sys.orig_argv = ["", "doctor"]; from mmmim.doctor.steps import {0}; {0}()'


def main(argv=None) -> int:
    """Examine this installation.

    Returns:
        0 if nothing is wrong, else 1.
    """
    args = parse_args(argv)
    print(f'mmmim {__version__}, {machine()}\n', flush=True)
    facts = gather(args.folders)
    findings = examine(facts)
    for finding in findings:
        show(finding)
    if not args.no_steps:
        for finding in steps(facts.versions):
            show(finding)
            findings.append(finding)
    faults = sum(finding.level == FAULT for finding in findings)
    notes = sum(finding.level == NOTE for finding in findings)
    many = 'Nothing is wrong' if not faults else f'{faults} fault{"s" * (faults > 1)}'
    print(f'\n{many}{f", {notes} to note" if notes else ""}.')
    return int(faults > 0)


def parse_args(argv):
    parser = argparse.ArgumentParser(
        prog='python -m mmmim.doctor',
        description='Examine the installation and print the line that mends each finding.',
    )
    parser.add_argument('--no-steps', action='store_true', help='skip the steps of the frameworks')
    parser.add_argument(
        '--folders',
        nargs='+',
        default=['.'],
        metavar='DIR',
        help='where runs will write (default: here)',
    )
    return parser.parse_args(argv)


def steps(versions):
    """One step of each framework that is installed."""
    for name, title in STEPS.items():
        if not set(PACKAGES[name]) & set(versions):
            remedy = f'pip install "mmmim[{family()}-det]"'
            yield Finding(NOTE, f'{title}: not installed', remedy)
            continue
        _, error = probe(STEP.format(name))
        if error is None:
            yield Finding(OK, f'{title}: a step runs')
        elif "'mmcv._ext'" in error:  # said above, with the remedy
            yield Finding(NOTE, f'{title}: needs the compiled operators', BUILD_OPS[family()])
        else:
            remedy = 'mend the findings above first; if there are none, report this line'
            yield Finding(FAULT, f'{title}: {error}', remedy)


def show(finding: Finding):
    print(f'{finding.level:<6}{finding.text}', flush=True)
    if finding.remedy:
        print(f'      -> {finding.remedy}', flush=True)
