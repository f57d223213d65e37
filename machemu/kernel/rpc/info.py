"""What tasks, threads and the host tell of themselves: the info calls (mach-abi.md 9.3).

Every flavor is a C structure, sent as words of 32 bits.  This kernel does its work within
the traps of threads and does not tell the time of the two apart: all of it is user time.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from machemu.kernel.ipc.right import CarriedRight
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc.host import require_host
from machemu.kernel.task.processor_set import Processor, ProcessorSet, ProcessorSetName
from machemu.kernel.task.task import Task
from machemu.kernel.task.thread import Policy, Thread
from machemu.kernel.task.waits import NS_PER_MS, TICK_MS

if TYPE_CHECKING:
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.rpc.call import Handler, RpcCall

TASK_BASIC_INFO, TASK_EVENTS_INFO, TASK_THREAD_TIMES_INFO = 1, 2, 3
THREAD_BASIC_INFO, THREAD_SCHED_INFO = 1, 2
HOST_BASIC_INFO, HOST_PROCESSOR_SLOTS, HOST_SCHED_INFO, HOST_LOAD_INFO = 1, 2, 3, 4
PROCESSOR_BASIC_INFO: Final = 1
PROCESSOR_SET_BASIC_INFO, PROCESSOR_SET_SCHED_INFO = 1, 2
TASK_BASIC_INFO_OLD: Final = 18  # words: without the 64-bit times
THREAD_SCHED_INFO_OLD: Final = 7  # words: without the last processor
RUNNING, STOPPED, WAITING, HALTED = 1, 2, 3, 5  # TH_STATE_
NS_PER_US: Final = 1000
NS_PER_SECOND: Final = 1_000_000_000


def _words(octets: bytes, room: int, accepted: int = 0) -> tuple[list[int]]:
    """The structure as words, as many as there is `room` for if that is `accepted`.

    Raises INVALID_ARGUMENT: there is not room for it.
    """
    words = list(struct.unpack(f"<{len(octets) // 4}i", octets))
    if room < len(words):
        if not accepted or room < accepted:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        words = words[:accepted]
    return (words,)


def _time(ns: int) -> bytes:
    """`rpc_time_value_t`."""
    return struct.pack("<qq", ns // NS_PER_SECOND, ns % NS_PER_SECOND // NS_PER_US)


def _time64(ns: int) -> bytes:
    return struct.pack("<qq", *divmod(ns, NS_PER_SECOND))


NO_TIME: Final = bytes(16)  # "system" time


# -- tasks and threads ------------------------------------------------------------


def task_info(call: RpcCall, flavor: int, room: int) -> tuple[list[int]]:
    """`room` is in words, here and below."""
    task = call.target_as(Task, KernReturn.INVALID_TASK)
    if flavor == TASK_BASIC_INFO:
        memory = task.memory
        return _words(
            struct.pack("<iiQQ", task.suspend_count, task.priority, memory.virtual_size, memory.resident_size)
            + _time(task.ended_cpu_ns) + NO_TIME + _time(task.created_ns)
            + _time64(task.ended_cpu_ns) + NO_TIME + _time64(task.created_ns), room, TASK_BASIC_INFO_OLD)
    if flavor == TASK_EVENTS_INFO:
        memory, space = task.memory, task.space
        # Reactivations and page-ins are counted for the host alone (`vm_statistics`).
        return _words(struct.pack("<7Q", memory.faults, memory.zero_fills, 0, 0, memory.copy_faults,
                                  space.messages_sent, space.messages_received), room)
    if flavor == TASK_THREAD_TIMES_INFO:
        lived = sum(call.kernel.scheduler.cpu_ns(thread) for thread in task.threads)
        return _words(_time(lived) + NO_TIME + _time64(lived) + NO_TIME, room)
    raise KernelError(KernReturn.INVALID_ARGUMENT)


def thread_info(call: RpcCall, flavor: int, room: int) -> tuple[list[int]]:
    thread = call.target_as(Thread)
    if flavor == THREAD_BASIC_INFO:
        return _words(_thread_basic_info(call.kernel, thread), room)
    if flavor == THREAD_SCHED_INFO:
        fixed = thread.policy is Policy.FIXEDPRI
        return _words(struct.pack("<8i", thread.policy, thread.quantum_ns // NS_PER_MS if fixed else 0,
                                  thread.base_priority, thread.max_priority, thread.priority, thread.depressed,
                                  thread.base_priority if thread.depressed else -1, 0), room, THREAD_SCHED_INFO_OLD)
    raise KernelError(KernReturn.INVALID_ARGUMENT)


def _thread_basic_info(kernel: Kernel, thread: Thread) -> bytes:
    ran = kernel.scheduler.cpu_ns(thread)
    waited = thread.wait is not None
    asleep = kernel.clock.ns_of(kernel.clock.units() - thread.stopped_units) // NS_PER_SECOND if waited else 0
    return (_time(ran) + NO_TIME
            + struct.pack("<7i4x", thread.cpu_usage, thread.base_priority, thread.priority, _run_state(thread), 0,
                          thread.suspend_count, asleep)
            + _time(thread.created_ns) + _time64(ran) + NO_TIME + _time64(thread.created_ns))


def _run_state(thread: Thread) -> int:
    if not thread.alive:
        return HALTED
    if thread.wait is not None:
        return WAITING
    return RUNNING if thread.runnable else STOPPED


# -- the host -----------------------------------------------------------------------


def host_info(call: RpcCall, flavor: int, room: int) -> tuple[list[int]]:
    require_host(call)
    kernel = call.kernel
    if flavor == HOST_BASIC_INFO:
        return _words(struct.pack("<iiQii", 1, 1, kernel.boot_info.ram, kernel.machine.cpu_type, 0), room)
    if flavor == HOST_PROCESSOR_SLOTS:
        return _words(struct.pack("<i", 0), room)
    if flavor == HOST_SCHED_INFO:
        return _words(struct.pack("<ii", TICK_MS, max(1, kernel.scheduler.quantum_ns // NS_PER_MS)), room)
    if flavor == HOST_LOAD_INFO:
        load = kernel.scheduler.current_load()
        return _words(struct.pack("<6i", *load.averages, *load.factors), room)
    raise KernelError(KernReturn.INVALID_ARGUMENT)


def processor_info(call: RpcCall, flavor: int, room: int) -> tuple[CarriedRight, list[int]]:
    call.target_as(Processor)
    if flavor != PROCESSOR_BASIC_INFO:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    (words,) = _words(struct.pack("<5i", call.kernel.machine.cpu_type, 0, 1, 0, 1), room)
    return call.kernel.host.port.make_send(), words


def processor_set_info(call: RpcCall, flavor: int, room: int) -> tuple[CarriedRight, list[int]]:
    """On the name port; the control port will do too."""
    target = call.target
    the_set = target.set if isinstance(target, ProcessorSetName) else call.target_as(ProcessorSet)
    kernel = call.kernel
    if flavor == PROCESSOR_SET_BASIC_INFO:
        load = kernel.scheduler.current_load()
        threads = sum(len(task.threads) for task in kernel.tasks.values())
        octets = struct.pack("<5i", 1, len(kernel.tasks), threads, load.averages[0], load.factors[0])
    elif flavor == PROCESSOR_SET_SCHED_INFO:
        policies = Policy.TIMESHARE | (Policy.FIXEDPRI if the_set.fixed_allowed else 0)
        octets = struct.pack("<2i", policies, the_set.max_priority)
    else:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    (words,) = _words(octets, room)
    return kernel.host.port.make_send(), words


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler for handler in (task_info, thread_info, host_info, processor_info, processor_set_info)
}
