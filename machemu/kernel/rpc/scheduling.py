"""Priorities, policies, processors and their set (mach-abi.md 6.3, 9.6).

This machine has one processor and one set: a set cannot be made, and assigning to the
default set does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.kernel.ipc.right import Carried, CarriedRight
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc.host import require_host, require_privileged
from machemu.kernel.task.processor_set import Processor, ProcessorSet, ProcessorSetName
from machemu.kernel.task.run_queue import PRIORITIES
from machemu.kernel.task.task import Task
from machemu.kernel.task.thread import Policy, Thread
from machemu.kernel.task.waits import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from machemu.kernel.rpc.call import Handler, RpcCall


def _thread(call: RpcCall) -> Thread:
    return call.target_as(Thread)


def _task(call: RpcCall) -> Task:
    return call.target_as(Task, KernReturn.INVALID_TASK)


def _set(call: RpcCall) -> ProcessorSet:
    return call.target_as(ProcessorSet)


def _given(right: CarriedRight, kind: type[object]) -> object:
    """The kernel object a request carries a send right on; the right is consumed.

    Raises INVALID_ARGUMENT: it is none of that kind.
    """
    found = right.port.kernel_object if isinstance(right, Carried) else None
    if not isinstance(found, kind):
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    assert isinstance(right, Carried)
    right.destroy()
    return found


def _check_priority(priority: int) -> None:
    if not 0 <= priority < PRIORITIES:
        raise KernelError(KernReturn.INVALID_ARGUMENT)


def _policy(number: int) -> Policy:
    try:
        return Policy(number)
    except ValueError:
        raise KernelError(KernReturn.INVALID_ARGUMENT) from None


# -- threads and tasks ------------------------------------------------------------


def thread_priority(call: RpcCall, priority: int, set_max: int) -> None:
    """Raises INVALID_ARGUMENT; FAILURE: stronger than the thread's maximum."""
    thread = _thread(call)
    _check_priority(priority)
    if priority < thread.max_priority:
        raise KernelError(KernReturn.FAILURE)
    if set_max:
        thread.set_max_priority(priority)
    thread.set_priority(priority)


def thread_max_priority(call: RpcCall, control: CarriedRight, priority: int) -> None:
    thread = _thread(call)
    _check_priority(priority)
    _given(control, ProcessorSet)
    thread.set_max_priority(priority)


def thread_policy(call: RpcCall, number: int, data: int) -> None:
    """`data`: with FIXEDPRI the quantum in ms.  Raises INVALID_ARGUMENT; FAILURE: not allowed."""
    thread, policy = _thread(call), _policy(number)
    if policy is Policy.FIXEDPRI and not call.kernel.processor_set.fixed_allowed:
        raise KernelError(KernReturn.FAILURE)
    thread.set_policy(policy, max(data, 0) * NS_PER_MS)


def thread_depress_abort(call: RpcCall) -> None:
    """Succeeds also when it is not depressed."""
    _thread(call).end_depression()


def task_priority(call: RpcCall, priority: int, change_threads: int) -> None:
    """What new threads get.  Raises INVALID_ARGUMENT; FAILURE: stronger than a thread may be."""
    task = _task(call)
    _check_priority(priority)
    task.priority = priority
    stronger = False
    for thread in task.threads if change_threads else ():
        if priority < thread.max_priority:
            stronger = True
        else:
            thread.set_priority(priority)
    if stronger:
        raise KernelError(KernReturn.FAILURE)


# -- processors and sets ----------------------------------------------------------


def host_processors(call: RpcCall) -> tuple[list[CarriedRight]]:
    require_privileged(call)
    return ([call.kernel.processor_set.processor.port.make_send()],)


def processor_set_default(call: RpcCall) -> tuple[CarriedRight]:
    require_host(call)
    return (call.kernel.processor_set.name.port.make_send(),)


def processor_set_create(call: RpcCall) -> None:
    """Raises FAILURE: this kernel has one set."""
    require_host(call)
    raise KernelError(KernReturn.FAILURE)


def processor_set_destroy(call: RpcCall) -> None:
    """Raises FAILURE: the default set stays."""
    _set(call)
    raise KernelError(KernReturn.FAILURE)


def host_processor_sets(call: RpcCall) -> tuple[list[CarriedRight]]:
    require_host(call)
    return ([call.kernel.processor_set.name.port.make_send()],)


def host_processor_set_priv(call: RpcCall, name: CarriedRight) -> tuple[CarriedRight]:
    """The control port of the set that is named."""
    require_privileged(call)
    found = _given(name, ProcessorSetName)
    assert isinstance(found, ProcessorSetName)
    return (found.set.port.make_send(),)


def processor_set_tasks(call: RpcCall) -> tuple[list[CarriedRight]]:
    _set(call)
    return ([task.self_port.make_send() for task in call.kernel.tasks.values()],)


def processor_set_threads(call: RpcCall) -> tuple[list[CarriedRight]]:
    _set(call)
    return ([thread.self_port.make_send() for thread in _threads(call)],)


def _threads(call: RpcCall) -> Iterator[Thread]:
    for task in call.kernel.tasks.values():
        yield from task.threads


def processor_set_max_priority(call: RpcCall, priority: int, change_threads: int) -> None:
    the_set = _set(call)
    _check_priority(priority)
    the_set.max_priority = priority
    for thread in _threads(call) if change_threads else ():
        if thread.max_priority < priority:
            thread.set_max_priority(priority)


def processor_set_policy_enable(call: RpcCall, number: int) -> None:
    the_set = _set(call)
    if _policy(number) is Policy.FIXEDPRI:
        the_set.fixed_allowed = True


def processor_set_policy_disable(call: RpcCall, number: int, change_threads: int) -> None:
    """Raises INVALID_ARGUMENT: timesharing stays."""
    the_set = _set(call)
    if _policy(number) is not Policy.FIXEDPRI:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    the_set.fixed_allowed = False
    for thread in _threads(call) if change_threads else ():
        if thread.policy is Policy.FIXEDPRI:
            thread.set_policy(Policy.TIMESHARE, 0)


def processor_get_assignment(call: RpcCall) -> tuple[CarriedRight]:
    call.target_as(Processor)
    return processor_set_name(call)


def thread_get_assignment(call: RpcCall) -> tuple[CarriedRight]:
    _thread(call)
    return processor_set_name(call)


def task_get_assignment(call: RpcCall) -> tuple[CarriedRight]:
    _task(call)
    return processor_set_name(call)


def processor_set_name(call: RpcCall) -> tuple[CarriedRight]:
    return (call.kernel.processor_set.name.port.make_send(),)


def thread_assign(call: RpcCall, control: CarriedRight) -> None:
    _thread(call)
    _given(control, ProcessorSet)


def thread_assign_default(call: RpcCall) -> None:
    _thread(call)


def task_assign(call: RpcCall, control: CarriedRight, _threads_too: int) -> None:
    _task(call)
    _given(control, ProcessorSet)


def task_assign_default(call: RpcCall, _threads_too: int) -> None:
    _task(call)


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler
    for handler in (
        thread_priority, thread_max_priority, thread_policy, thread_depress_abort, task_priority,
        host_processors, processor_set_default, processor_set_create, processor_set_destroy, host_processor_sets,
        host_processor_set_priv, processor_set_tasks, processor_set_threads, processor_set_max_priority,
        processor_set_policy_enable, processor_set_policy_disable, processor_get_assignment, thread_get_assignment,
        task_get_assignment, thread_assign, thread_assign_default, task_assign, task_assign_default,
    )
}
