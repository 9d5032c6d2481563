"""Errors that a user can mend: the launcher prints their one sentence without a traceback."""


class UserError(Exception):
    """Base of the errors below."""


class ConfigError(UserError, ValueError):
    """The config, or an option that changes it, cannot be run."""


class EnvironmentProblem(UserError, RuntimeError):
    """The machine lacks something the config needs."""


class CheckpointError(UserError, RuntimeError):
    """A file is no checkpoint, or a damaged one."""


class DiskSpaceError(UserError, OSError):
    """A disk is full, or too small for what the run will write."""


class DataError(UserError, RuntimeError):
    """Too many images cannot be read, or a process that reads them has died."""


class NumericalError(UserError, ArithmeticError):
    """The loss stays NaN or infinite.

    Args:
        message (str): The cause, and where it was written down.
        checkpoint (str, optional): The last good checkpoint, if a run may go back to it.
    """

    def __init__(self, message, checkpoint=None):
        super().__init__(message)
        self.checkpoint = checkpoint


class Preempted(SystemExit):
    """A signal asked for an end, and the state is saved: the process ends with ``CODE``."""

    CODE = 85

    def __init__(self, path):
        super().__init__(self.CODE)
        self.path = path
