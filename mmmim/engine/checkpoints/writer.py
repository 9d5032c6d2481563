"""Files written by a thread, one after the other, while the training goes on."""

import queue
import threading


class Writer:
    """Runs jobs in the background; the error of one is raised by the next call.

    The process that ends without :meth:`wait` may lose the job in work, but a file is whole or
    absent (see disk.py).
    """

    def __init__(self):
        self.jobs = queue.Queue(maxsize=1)
        self.error = None
        self.thread = None

    def submit(self, job):
        """Run ``job()`` after the one before, which is waited for: memory holds one snapshot."""
        self.wait()
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, daemon=True, name='checkpoints')
            self.thread.start()
        self.jobs.put(job)

    def wait(self):
        """Return when all is written.

        Raises:
            Exception: What a job raised.
        """
        self.jobs.join()
        self.check()

    def check(self):
        """Raise what a job has raised, once."""
        error, self.error = self.error, None
        if error is not None:
            raise error

    def _run(self):
        while True:
            job = self.jobs.get()
            try:
                job()
            except BaseException as error:
                self.error = error
            finally:
                # The snapshot must not live on in a local name until the next one.
                del job
                self.jobs.task_done()
