"""Hooks: how observers watch a part of the machine without the part knowing them.

A hook belongs to one kind of event.  Whoever owns it writes

    if hook:
        hook.emit(Event(...))

so that an event nobody watches costs one truth test and is never built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, final

E = TypeVar("E")


@final
class Hook(list[Callable[[E], None]]):
    """The observers of one kind of event, called in the order they were attached.

    It is the list of them: an empty list is false without a call.

    Observers get frozen values, return nothing and cannot change the run.  One that
    raises is detached, and its exception is kept in `failures`: a watcher's fault
    must neither stop the watched nor be lost.
    """

    __slots__ = ("failures",)

    def __init__(self) -> None:
        super().__init__()
        self.failures: Final[list[Exception]] = []

    def attach(self, observer: Callable[[E], None]) -> None:
        self.append(observer)

    def detach(self, observer: Callable[[E], None]) -> None:
        """Take `observer` off; one that is not attached is ignored."""
        if observer in self:
            self.remove(observer)

    def emit(self, event: E) -> None:
        for observer in tuple(self):
            try:
                observer(event)
            except Exception as error:  # an observer may fail in any way
                self.detach(observer)
                self.failures.append(error)
