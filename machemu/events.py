"""Hooks: how observers watch a part of the machine without the part knowing them.

A hook belongs to one kind of event.  Whoever owns it writes

    if hook:
        hook.emit(Event(...))

so that an event nobody watches costs one truth test and is never built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar, final

E = TypeVar("E")


@final
class Hook(Generic[E]):
    """The observers of one kind of event, called in the order they were attached.

    Observers get frozen values, return nothing and cannot change the run.  One that
    raises is detached, and its exception is kept in `failures`: a watcher's fault
    must neither stop the watched nor be lost.
    """

    __slots__ = ("_observers", "failures")

    def __init__(self) -> None:
        self._observers: list[Callable[[E], None]] = []
        self.failures: Final[list[Exception]] = []

    def __bool__(self) -> bool:
        return bool(self._observers)

    def attach(self, observer: Callable[[E], None]) -> None:
        self._observers.append(observer)

    def detach(self, observer: Callable[[E], None]) -> None:
        """Take `observer` off; one that is not attached is ignored."""
        if observer in self._observers:
            self._observers.remove(observer)

    def emit(self, event: E) -> None:
        for observer in tuple(self._observers):
            try:
                observer(event)
            except Exception as error:  # an observer may fail in any way
                self.detach(observer)
                self.failures.append(error)
