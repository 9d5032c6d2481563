"""What to do about a failed installation step, from what it printed.

Only the standard library is needed: ``python setup_remedies.py LOG`` prints one sentence.
"""

import re
import sys
from pathlib import Path

# The first pattern that matches names the remedy; causes stand before their consequences.
REMEDIES = (
    (r'No space left on device|\[Errno 28\]',
     'The disk is full: free some space (df -h shows where; TMPDIR moves the build, MMMIM_CACHE '
     'the cache) and call again.'),
    (r'name resolution|NameResolutionError|NewConnectionError|Failed to establish a new connection'
     r'|Network is unreachable|No route to host|ConnectTimeoutError|Read timed out|ReadTimeoutError'
     r'|ProxyError|Connection refused|ConnectionResetError',
     'The package index cannot be reached: connect to the network (or set a proxy or an index for '
     'pip) and call again.'),
    (r'CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError',
     'The certificate of the package index is not trusted: point PIP_CERT at your certificates and '
     'call again.'),
    (r'\[Errno 13\]|Permission denied',
     'A folder is not writable: use an environment and a cache (MMMIM_CACHE) that belong to you '
     'and call again.'),
    (r'fatal error: Python\.h',
     'The headers of Python are missing: install them (Debian, Ubuntu: apt-get install '
     'python3-dev) and call again.'),
    (r'CUDA version .* mismatches',
     'nvcc is of another CUDA than torch: set CUDA_HOME to a toolkit of the version that torch was '
     'built with, or export MMMIM_CPU_OPS=1 for ops on the CPU only, and call again.'),
    (r'CUDA_HOME environment variable is not set|nvcc: (command )?not found'
     r'|No such file or directory: .*nvcc',
     'A GPU is visible but no CUDA compiler is: install the CUDA toolkit and set CUDA_HOME, or '
     'export MMMIM_CPU_OPS=1 for ops on the CPU only, and call again.'),
    (r'fatal error: Killed|Killed signal terminated|signal terminated program cc1plus'
     r'|out of memory allocating',
     'The compiler ran out of memory: call again with MAX_JOBS=1.'),
    (r'(g\+\+|gcc|c\+\+|cc): (command )?not found|No such file or directory: .*(g\+\+|gcc|c\+\+)'
     r'|unable to execute .*(g\+\+|gcc|c\+\+)',
     'No C++ compiler was found: install one (Debian, Ubuntu: apt-get install g++) and call '
     'again.'),
    (r'ResolutionImpossible|conflicting dependencies',
     'Packages in this environment contradict the pins: deactivate it, so that a fresh .venv is '
     'used, and call again.'),
    (r'No matching distribution found for (?P<name>\S+)',
     'pip finds no {name} for this Python and machine: look at the Python version and at the '
     'indexes that pip is set to, and call again.'),
    (r'libGL\.so|libglib-2\.0|libgthread-2\.0',
     'A system library that OpenCV needs is missing: install it (Debian, Ubuntu: apt-get install '
     'libgl1 libglib2.0-0) and call again.'),
)


def explain(text):
    """The remedy for a failed command, from what it printed; None if nothing known is in it."""
    for pattern, remedy in REMEDIES:
        match = re.search(pattern, text)
        if match:
            return remedy.format(**match.groupdict())
    return None


def main(log):
    print(explain(Path(log).read_text(errors='replace'))
          or f'The cause is in the lines above, all of them are in {log}: mend it and call again.')


if __name__ == '__main__':
    main(sys.argv[1])
