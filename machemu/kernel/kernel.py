"""The kernel: joins tasks, ports, memory, traps and calls.  It has no rules of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import AddressSpace, CpuException, Machine
from machemu.kernel.device.table import DeviceTable
from machemu.kernel.events import (
    ExceptionRaised,
    KernelEvents,
    MessageSent,
    PageFaulted,
    RegionInMessage,
    RightInMessage,
    TaskCreated,
    TaskEnded,
    ThreadCreated,
    ThreadEnded,
    TrapTaken,
)
from machemu.kernel.ipc.message import Message, count_message
from machemu.kernel.ipc.port import Port, PortZone
from machemu.kernel.ipc.right import MACH_PORT_NULL, Carried
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc import routine_table
from machemu.kernel.rpc.call import Served, WaitingCall, serve
from machemu.kernel.rpc.gsync import GsyncTable
from machemu.kernel.rpc.host import BootInfo, BootstrapObject, DeviceMaster, Host, HostPrivileged
from machemu.kernel.rpc.pager_port import PagerTable
from machemu.kernel.task.exceptions import ExceptionWait
from machemu.kernel.task.processor_set import ProcessorSet
from machemu.kernel.task.scheduler import Scheduler
from machemu.kernel.task.task import Task
from machemu.kernel.task.thread import Thread
from machemu.kernel.task.waits import FaultWait, wait_for_memory
from machemu.kernel.traps import PLACEHOLDERS, TABLE_SIZE, TRAPS
from machemu.kernel.traps.call import BLOCKED, Handler, TrapCall
from machemu.kernel.vm.fault import fault
from machemu.kernel.vm.map import VmMap
from machemu.kernel.vm.object import DeviceObject
from machemu.kernel.vm.page import PagePool
from machemu.kernel.vm.pageout import PageOut
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

WORD: Final = 1 << 64
SIGN: Final = 1 << 31  # results from here on are negative
REGION_SHOWN: Final = 256  # octets of an out-of-line region that observers get


@dataclass(slots=True)
class Counters:
    """What one node's kernel has done since boot; for `inspect` and the bench."""

    traps: int = 0
    calls: int = 0  # messages executed by the kernel
    faults: int = 0
    exceptions: int = 0


@final
class Kernel:
    """One node's kernel.  It is the cpu's trap handler.

    Args:
        quantum_ns: how long a thread runs while others wait.
        power_off: told when a task with the privileged host port asks for it.
    """

    def __init__(self, machine: Machine, *, quantum_ns: int = 1_000_000,
                 power_off: Callable[[bool], None] | None = None) -> None:
        self.machine = machine
        self.cpu = machine.cpu
        self.clock = machine.clock
        self.events = KernelEvents()
        self.counters = Counters()
        self.zone = PortZone(self.events)
        self.pool = PagePool(machine.memory)
        self.scheduler = Scheduler(machine.cpu, machine.clock, self.events, quantum_ns)
        self.processor_set = ProcessorSet(self.zone)
        self.host = Host(self.zone)
        self.host_privileged = HostPrivileged(self.zone)
        self.device_master = DeviceMaster(self.zone)
        self.bootstrap = BootstrapObject(self.zone)
        self.boot_info = BootInfo()
        self.time_at_boot_ns = 0  # what host_get_time adds to the clock
        self.tasks: dict[int, Task] = {}  # live ones by number
        self.new_task_port: Port | None = None  # holds one of its send rights
        self.gsync = GsyncTable()
        self.network_server: Task | None = None
        self._network_servers = 0
        self._next_task = self._next_thread = 0
        self._power_off = power_off
        self.devices = DeviceTable(self)
        self.pagers = PagerTable(self)
        self.pageout = self.pool.pageout = PageOut(self.pool, self.pagers, machine.clock,
                                                   self.scheduler.later)
        self.waiting_calls: dict[WaitingCall, None] = {}
        self.routines: Final[dict[int, Served]] = routine_table()
        self._handlers = {trap.number % WORD: trap.handler for trap in TRAPS}
        self._call = TrapCall(self)
        self._arguments = machine.cpu.arguments
        machine.cpu.attach(self)

    # -- tasks and threads ------------------------------------------------------

    def create_task(self, parent: Task | None, *, inherit_memory: bool = False) -> Task:
        """A task without threads; with a parent it inherits its ports.

        Raises RESOURCE_SHORTAGE.
        """
        if parent is not None and inherit_memory:
            memory = parent.memory.fork(self._new_space())
        else:
            memory = VmMap(self.pool, self._new_space())
        self._next_task += 1
        task = Task(self._next_task, parent.number if parent else 0, self.zone, memory, self.processor_set)
        task.created_ns = self.time_ns()
        if parent is not None:
            task.inherit(parent)
        self.tasks[task.number] = task
        if self.events.task_created:
            self.events.task_created.emit(TaskCreated(task.number, task.parent))
        return task

    def _new_space(self) -> AddressSpace:
        return self.machine.new_space(self.pool.allocate_table, self.pool.free_table)

    def create_thread(self, task: Task) -> Thread:
        """A thread with registers zero, suspended once.  Raises INVALID_ARGUMENT: dead task."""
        if not task.alive:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        self._next_thread += 1
        thread = Thread(task, self._next_thread, self.cpu.new_context(task.memory.space), self.cpu, self.scheduler)
        thread.created_ns = self.time_ns()
        thread.suspend_count = 1
        task.threads.append(thread)
        if self.events.thread_created:
            self.events.thread_created.emit(ThreadCreated(thread.number, task.number))
        return thread

    def terminate_thread(self, thread: Thread) -> None:
        """Raises FAILURE: it has ended already."""
        if not thread.alive:
            raise KernelError(KernReturn.FAILURE)
        thread.task.threads.remove(thread)
        thread.end()
        if self.events.thread_ended:
            self.events.thread_ended.emit(ThreadEnded(thread.number, thread.task.number))

    def terminate_task(self, task: Task, status: int | None, reason: str) -> None:
        """Raises FAILURE: it has ended already."""
        if not task.alive:
            raise KernelError(KernReturn.FAILURE)
        task.status = status
        threads = list(task.threads)
        del self.tasks[task.number]
        if task is self.network_server:
            self.network_server = None
        task.end()
        if self.events.thread_ended:
            for thread in threads:
                self.events.thread_ended.emit(ThreadEnded(thread.number, task.number))
        if self.events.task_ended:
            self.events.task_ended.emit(TaskEnded(task.number, task.name, status, reason))

    def give_send(self, task: Task, port: Port | None) -> int:
        """A send right on `port` for `task`; its name, MACH_PORT_NULL if that cannot be."""
        if port is None or port.dead:
            return MACH_PORT_NULL
        right = port.make_send() if port.kernel_object is not None else port.copy_send()
        try:
            return task.space.insert(right)
        except KernelError:
            right.destroy()
            return MACH_PORT_NULL

    def set_network_server(self, task: Task) -> int:
        """From now on MACH_SEND_PEER counts for `task`; its instance, from 0 in each boot."""
        self.network_server = task
        self._network_servers += 1
        return self._network_servers - 1

    # -- what handlers need -------------------------------------------------------

    def time_ns(self) -> int:
        return self.time_at_boot_ns + self.clock.now_ns

    def console_write(self, text: bytes) -> None:
        console = self.machine.character_devices.get("console")
        if console is not None:
            console.write(text)

    def power_off(self, *, reboot: bool) -> None:
        self.machine.halt(reboot)
        if self._power_off is not None:
            self._power_off(reboot)

    def memory_object(self, target: object | None) -> DeviceObject | None:
        """The memory object a port's kernel object stands for, or None."""
        return self.devices.memory_object(target)

    def serve(self, message: Message, task: Task) -> None:
        """Execute a message sent to a kernel port."""
        self.counters.calls += 1
        serve(self, message, task)

    # -- traps: the cpu calls these -------------------------------------------------

    def ecall(self) -> None:
        thread = self.scheduler.current
        assert thread is not None
        call = self._call
        call.thread = thread
        call.task = thread.task
        arguments = call.arguments = self._arguments.tolist()
        self.counters.traps += 1
        if self.events.trap_taken:
            self.events.trap_taken.emit(TrapTaken(thread.number, thread.task.number,
                                                  arguments[7] - WORD, tuple(arguments[:7])))
        handler = self._handlers.get(arguments[7])
        if handler is None:
            self._unknown_trap(thread, arguments[7])
            return
        try:
            result = handler(call)
        except MustWait as absent:
            result = self._wait_in_trap(thread, handler, arguments, absent)
        except KernelError as error:
            result = error.code
        if result is not BLOCKED and thread.alive:
            if self.scheduler.current is thread and 0 <= result < SIGN:
                self._arguments[0] = result
            else:
                thread.set_result(result)
        if self.scheduler.unsettled:
            self.scheduler.settle()

    def _wait_in_trap(self, thread: Thread, handler: Handler, arguments: list[int], absent: MustWait) -> int | None:
        def begin_again() -> int | None:
            call = self._call
            call.thread, call.task, call.arguments = thread, thread.task, arguments
            result: int | None = handler(call)
            return result

        return wait_for_memory(thread, absent, begin_again)

    def _unknown_trap(self, thread: Thread, word: int) -> None:
        number = word - WORD if word >> 63 else word
        if number in PLACEHOLDERS:
            thread.set_result(KernReturn.SUCCESS)
        elif -TABLE_SIZE < number <= 0:
            thread.set_result(KernReturn.INVALID_ARGUMENT)
        else:  # the pc is behind the ecall: whoever handles it decides on the result
            self.exception(CpuException("bad_instruction", 8, word))

    def page_fault(self, address: int, access: int) -> None:
        thread = self.scheduler.current
        assert thread is not None
        self.counters.faults += 1
        if self.events.page_faulted:
            self.events.page_faulted.emit(PageFaulted(thread.number, thread.task.number, address, access))
        try:
            fault(thread.task.memory, address, access)
        except MustWait as absent:
            self._wait_in_fault(thread, absent, address)
        except KernelError as error:
            self.exception(CpuException("bad_access", error.code, address))

    def _wait_in_fault(self, thread: Thread, absent: MustWait, address: int) -> None:
        failed, thread.failed_memory = thread.failed_memory, None
        if failed == absent.key:
            self.exception(CpuException("bad_access", absent.code, address))
        else:
            FaultWait(thread, absent).start()
            self.scheduler.settle()

    def exception(self, cause: CpuException) -> None:
        """The current thread waits for its exception port's answer, or its task ends."""
        thread = self.scheduler.current
        assert thread is not None
        self.counters.exceptions += 1
        if self.events.exception_raised:
            self.events.exception_raised.emit(ExceptionRaised(thread.number, thread.task.number,
                                                              cause.kind, cause.code, cause.subcode))
        ExceptionWait(self, thread, cause).ask_next()
        self.scheduler.settle()

    # -- observers ------------------------------------------------------------------

    def report_sent(self, message: Message) -> None:
        """Tell observers of a message on its way."""
        dest = message.dest
        receiver = dest.receiver.task_number if dest.receiver is not None else 0
        rights = [RightInMessage(slot, 0, *_place(right)) for item in message.inline
                  for slot, right in zip(item.slots, item.rights, strict=True)]
        for region in message.regions:
            rights += [RightInMessage(region.slot, index, *_place(right))
                       for index, right in enumerate(region.rights or ())]
        self.events.message_sent.emit(MessageSent(
            message.number, message.sender, dest.number, receiver,
            message.reply.number if message.reply is not None else 0, message.ident, message.bits,
            bytes(message.data), tuple(rights),
            tuple(RegionInMessage(region.slot, region.memory.size, region.memory.peek(REGION_SHOWN))
                  for region in message.regions if region.memory is not None)))

    # -- invariants -------------------------------------------------------------------

    def count_own_rights(self, sends: Counter[Port], onces: Counter[Port]) -> None:
        """Add the rights that the kernel itself holds, for the balance."""
        self.devices.count_own_rights(sends, onces)
        self.gsync.count_own_rights(sends, onces)
        if self.new_task_port is not None:
            sends[self.new_task_port] += 1
        self.pagers.count_own_rights(sends)
        for waiting in self.waiting_calls:
            count_message(waiting.message, sends, onces)

    def check(self) -> None:
        """Assert every object's invariants and that ports and rights balance."""
        self.scheduler.check()
        self.gsync.check()
        self.pool.check()
        self.pagers.check()
        for task in self.tasks.values():
            task.check()
        for port in self.zone.live:
            port.check()


def _place(right: object) -> tuple[int | None, int]:
    return (right.port.number, right.kind) if isinstance(right, Carried) else (None, 0)
