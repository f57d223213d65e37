"""The operator's mistakes.  (The guest's are `kernel.results.KernelError`.)"""

from __future__ import annotations


class ConfigError(Exception):
    """A bad image, recipe, option or file: its text is one clear line that says what is
    wrong, where, and what to do.  `cli/` prints it and exits with status 1."""
