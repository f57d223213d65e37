"""What observers of a kernel are told: one frozen value per kind of event.

Tasks, threads, ports and messages are named by the node's own numbers, which are never
used twice in a boot.  Octets are those of the message, not of any task's memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from machemu.events import Hook


@dataclass(frozen=True, slots=True)
class PortCreated:
    port: int


@dataclass(frozen=True, slots=True)
class PortDied:
    port: int


@dataclass(frozen=True, slots=True)
class RightInMessage:
    """A right in a message: where its name stands, its port (None: null or dead), kind."""

    slot: int  # octets from the start; for out-of-line arrays the slot of the address
    index: int  # in an out-of-line array; 0 for a right in the body
    port: int | None
    kind: int


@dataclass(frozen=True, slots=True)
class RegionInMessage:
    slot: int
    octets: int
    data: bytes  # the first octets, at most 256


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A message was accepted for its port (or executed by the kernel)."""

    message: int
    task: int  # sender; 0: the kernel
    port: int  # destination
    receiver: int  # task that holds its receive right; 0: the kernel or in transit
    reply: int  # reply port; 0: none
    ident: int
    bits: int
    data: bytes  # header included, its ports as the sender named them
    rights: tuple[RightInMessage, ...]
    regions: tuple[RegionInMessage, ...]


@dataclass(frozen=True, slots=True)
class MessageReceived:
    message: int
    task: int  # receiver
    port: int
    ident: int
    size: int
    sequence: int


@dataclass(frozen=True, slots=True)
class TaskCreated:
    task: int
    parent: int  # 0: the boot loader


@dataclass(frozen=True, slots=True)
class TaskNamed:
    task: int
    name: str
    by: int  # task that named it
    started: bool  # it already has threads


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """`status` is the one given to `exit` (4605); None: it was terminated or crashed."""

    task: int
    name: str
    status: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class ThreadCreated:
    thread: int
    task: int


@dataclass(frozen=True, slots=True)
class ThreadEnded:
    thread: int
    task: int


@dataclass(frozen=True, slots=True)
class ContextSwitch:
    thread: int  # 0: none can run
    task: int


@dataclass(frozen=True, slots=True)
class TrapTaken:
    thread: int
    task: int
    number: int
    arguments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PageFaulted:
    thread: int
    task: int
    address: int
    access: int


@dataclass(frozen=True, slots=True)
class ExceptionRaised:
    thread: int
    task: int
    kind: str
    code: int
    subcode: int


@dataclass(frozen=True, slots=True)
class StepAnnounced:
    """A server called `trace_point` (mach-abi.md 3.2)."""

    task: int
    code: int
    words: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Printed:
    """Text of the `mach_print` trap."""

    task: int
    text: str


@final
class KernelEvents:
    """The hooks of one kernel."""

    __slots__ = ("context_switch", "exception_raised", "message_received", "message_sent", "page_faulted",
                 "port_created", "port_died", "printed", "step_announced", "task_created", "task_ended",
                 "task_named", "thread_created", "thread_ended", "trap_taken")

    def __init__(self) -> None:
        self.port_created: Hook[PortCreated] = Hook()
        self.port_died: Hook[PortDied] = Hook()
        self.message_sent: Hook[MessageSent] = Hook()
        self.message_received: Hook[MessageReceived] = Hook()
        self.task_created: Hook[TaskCreated] = Hook()
        self.task_named: Hook[TaskNamed] = Hook()
        self.task_ended: Hook[TaskEnded] = Hook()
        self.thread_created: Hook[ThreadCreated] = Hook()
        self.thread_ended: Hook[ThreadEnded] = Hook()
        self.context_switch: Hook[ContextSwitch] = Hook()
        self.trap_taken: Hook[TrapTaken] = Hook()
        self.page_faulted: Hook[PageFaulted] = Hook()
        self.exception_raised: Hook[ExceptionRaised] = Hook()
        self.step_announced: Hook[StepAnnounced] = Hook()
        self.printed: Hook[Printed] = Hook()
