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
