"""The version of mmmim, importable without any dependency."""

__version__ = '0.1.0.dev0'
