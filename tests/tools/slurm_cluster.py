"""A Slurm of Debian's packages on this machine: controller and two node daemons on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PACKAGES = ('slurmctld', 'slurmd', 'slurm-client', 'munge')
PROGRAMS = ('slurmctld', 'slurmd', 'srun', 'munged')

CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=3
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=6
KillWait=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=1
NodeName=node[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{second}] CPUs=1
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def reason_to_skip(install=False):
    """Why there can be no cluster here, None if there can.

    Args:
        install (bool): Install the packages if they are missing. Default tests do not change the
            system; they run where a test marked `long`, or somebody else, has installed them.
    """
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if not missing:
        return None if os.geteuid() == 0 else 'the daemons need root'
    command = ['apt-get', 'install', '-y', '--no-install-recommends', *PACKAGES]
    if install and os.geteuid() == 0 and shutil.which('apt-get'):
        env = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
        for words in (['apt-get', 'update'], command):
            try:
                subprocess.run(words, env=env, capture_output=True, timeout=300)
            except subprocess.TimeoutExpired:
                break
        if all(shutil.which(name) for name in PROGRAMS):
            return None
    return f'no {missing[0]}: {" ".join(command)}'


def free_ports(count):
    """Ports that nobody listens on, in a row."""
    first = 17000
    while True:
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(('127.0.0.1', port))
        except OSError:
            first += count
        else:
            return list(range(first, first + count))


class Cluster:
    """Context manager; jobs run as ``node1`` and ``node2``, one CPU each."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.nodes = {}

    def __enter__(self):
        (self.folder / 'state').mkdir()
        ports = free_ports(3)
        conf = CONF.format(
            host=socket.gethostname(), folder=self.folder, port=ports[0], first=ports[1],
            second=ports[2],
        )  # fmt: skip
        (self.folder / 'slurm.conf').write_text(conf)
        key = self.folder / 'munge.key'
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.env = {**os.environ, 'SLURM_CONF': str(self.folder / 'slurm.conf')}
        files = dict(socket='munge.socket', pid_file='munged.pid', log_file='munged.log')
        files.update(seed_file='munge.seed', key_file='munge.key')
        words = [f'--{name.replace("_", "-")}={self.folder / file}' for name, file in files.items()]
        self.daemons = [self._start('munged', '--foreground', '--force', *words)]
        wait_for(lambda: (self.folder / 'munge.socket').exists(), 10)
        self.daemons.append(self._start('slurmctld', '-D'))
        for name in ('node1', 'node2'):
            self.start_node(name)
        wait_for(lambda: self.call('sinfo', '-h', '-o', '%D %t').split() == ['2', 'idle'], 60)
        return self

    def __exit__(self, *_):
        subprocess.run(['scancel', '--state=RUNNING'], env=self.env, capture_output=True)
        for name in list(self.nodes):
            self.kill_node(name)
        for daemon in reversed(self.daemons):
            daemon.kill()
            daemon.wait()

    def _start(self, *words):
        nowhere = subprocess.DEVNULL
        return subprocess.Popen(words, env=self.env, stdout=nowhere, stderr=nowhere)

    def call(self, *words, **options):
        done = subprocess.run(
            words, env=self.env, capture_output=True, text=True, timeout=60, **options
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def start_node(self, name):
        self.nodes[name] = self._start('slurmd', '-D', '-N', name)

    def kill_node(self, name):
        """The daemon and all that the node runs, at once and without a word."""
        for pid in sorted({self.nodes.pop(name).pid, *processes_of(name)}):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def submit(self, *words, cwd, **env):
        """Job number of a batch job on both nodes."""
        words = ['sbatch', '--parsable', '--nodes=2', '--ntasks-per-node=1', *map(str, words)]
        done = subprocess.run(
            words, env={**self.env, **env}, cwd=cwd, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def state(self, job):
        """Fields of ``scontrol show job``."""
        text = self.call('scontrol', 'show', 'job', job)
        return dict(word.split('=', 1) for word in text.split() if '=' in word)

    def hasten(self, job):
        """Start a requeued job once its old credential has expired; Slurm waits two minutes."""

        def hastened():
            command = ['scontrol', 'update', f'JobId={job}', 'StartTime=now']
            done = subprocess.run(command, env=self.env, capture_output=True)
            return done.returncode == 0

        wait_for(lambda: self.state(job)['JobState'] == 'PENDING', 120)
        time.sleep(5)
        wait_for(hastened, 60)

    def wait(self, job, wanted, timeout):
        """Wait until a job is in one of the states ``wanted``; returns its fields."""
        wait_for(lambda: self.state(job)['JobState'] in wanted, timeout)
        return self.state(job)


def processes_of(node):
    """What runs on a node: processes that Slurm told so, and the step daemons above them."""
    found = set()
    for entry in filter(str.isdigit, os.listdir('/proc')):
        try:
            environment = Path(f'/proc/{entry}/environ').read_bytes().split(b'\0')
            parent = Path(f'/proc/{entry}/stat').read_text().rpartition(')')[2].split()[1]
            if f'SLURMD_NODENAME={node}'.encode() in environment:
                found.add(int(entry))
                if b'slurmstepd' in Path(f'/proc/{parent}/cmdline').read_bytes():
                    found.add(int(parent))
        except OSError:
            continue
    return found


def wait_for(condition, timeout):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, 'waited too long'
        time.sleep(0.2)
