"""Tasks and threads as kernel objects: the calls of `mach.defs` and `gnumach.defs` on them.

Rules and errors: mach-abi.md 6.2, 6.9, 9 and 10.4.  Follows Mach 3 `kern/task.c`,
`kern/thread.c` and `kern/ipc_tt.c`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from machemu.kernel.events import TaskNamed
from machemu.kernel.ipc.right import MOVE_SEND, Carried, CarriedRight
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc.gnumach import announce_task
from machemu.kernel.task.task import REGISTERED_MAX, Task
from machemu.kernel.task.thread import Thread

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.rpc.call import Handler, RpcCall

KERNEL_PORT: Final = 1
EXCEPTION_PORT: Final = 3
BOOTSTRAP_PORT: Final = 4
NAME_LENGTH_MAX: Final = 64  # octets


def _task(call: RpcCall) -> Task:
    return call.target_as(Task, KernReturn.INVALID_TASK)


def _thread(call: RpcCall) -> Thread:
    return call.target_as(Thread)


def send_right(port: Port | None) -> Carried | None:
    """A new send right to hand out, or null for an unset or dead port."""
    if port is None or port.dead:
        return None
    return port.copy_send()


# -- tasks ------------------------------------------------------------------------


def task_create(call: RpcCall, inherit: int) -> tuple[CarriedRight]:
    parent = _task(call)
    child = call.kernel.create_task(parent, inherit_memory=bool(inherit))
    announce_task(call.kernel, child, parent)
    return (child.self_port.make_send(),)


def task_terminate(call: RpcCall) -> None:
    call.kernel.terminate_task(_task(call), None, "terminated")


def task_threads(call: RpcCall) -> tuple[object, ...]:
    return ([thread.self_port.make_send() for thread in _task(call).threads],)


def task_suspend(call: RpcCall) -> None:
    _task(call).suspend()


def task_resume(call: RpcCall) -> None:
    _succeed(_task(call).resume())


def _succeed(code: int) -> None:
    if code != KernReturn.SUCCESS:
        raise KernelError(code)


def _attribute(owner: Task | Thread, which: int) -> str:
    """The attribute that holds special port `which`.  Raises INVALID_ARGUMENT."""
    if which == KERNEL_PORT:
        return "kernel_port"
    if which == EXCEPTION_PORT:
        return "exception_port"
    if which == BOOTSTRAP_PORT and isinstance(owner, Task):
        return "bootstrap_port"
    raise KernelError(KernReturn.INVALID_ARGUMENT)


def set_special_port(owner: Task | Thread, which: int, right: CarriedRight) -> None:
    """Keep `right`, a send right, as a special port; null clears it.

    Raises INVALID_ARGUMENT (no such port), INVALID_CAPABILITY (not a send right); the
    caller still holds the right then.
    """
    attribute = _attribute(owner, which)
    port = None
    if isinstance(right, Carried):
        if right.kind != MOVE_SEND:
            raise KernelError(KernReturn.INVALID_CAPABILITY)
        port = right.port
    old: Port | None = getattr(owner, attribute)
    setattr(owner, attribute, port)
    if old is not None and old is not owner.self_port:
        old.drop_send()
    if port is owner.self_port:
        port.drop_send()  # its own port needs no right


def task_get_special_port(call: RpcCall, which: int) -> tuple[CarriedRight]:
    task = _task(call)
    return (send_right(getattr(task, _attribute(task, which))),)


def task_set_special_port(call: RpcCall, which: int, right: CarriedRight) -> None:
    set_special_port(_task(call), which, right)


def mach_ports_register(call: RpcCall, rights: list[CarriedRight] | None) -> None:
    task = _task(call)
    given = rights or []
    if len(given) > REGISTERED_MAX:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    if any(isinstance(right, Carried) and right.kind != MOVE_SEND for right in given):
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    old = task.registered
    task.registered = [right.port if isinstance(right, Carried) else None for right in given]
    task.registered += [None] * (REGISTERED_MAX - len(given))
    for port in old:
        if port is not None:
            port.drop_send()


def mach_ports_lookup(call: RpcCall) -> tuple[object, ...]:
    return ([send_right(port) for port in _task(call).registered],)


def task_set_name(call: RpcCall, name: bytes) -> None:
    task = _task(call)
    task.name = name.split(b"\0")[0][:NAME_LENGTH_MAX].decode("utf-8", "replace")
    if call.kernel.events.task_named:
        call.kernel.events.task_named.emit(TaskNamed(task.number, task.name, call.task.number,
                                                     any(thread.started for thread in task.threads)))


# -- threads ----------------------------------------------------------------------


def thread_create(call: RpcCall) -> tuple[CarriedRight]:
    return (call.kernel.create_thread(_task(call)).self_port.make_send(),)


def thread_terminate(call: RpcCall) -> None:
    call.kernel.terminate_thread(_thread(call))


def thread_suspend(call: RpcCall) -> None:
    _thread(call).suspend()


def thread_resume(call: RpcCall) -> None:
    _succeed(_thread(call).resume())


def thread_abort(call: RpcCall) -> None:
    thread = _thread(call)
    if thread is call.kernel.scheduler.current:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    thread.abort()


def thread_get_state(call: RpcCall, flavor: int, room: int) -> tuple[object, ...]:
    """`room` is in 32-bit units."""
    thread = _thread(call)
    if thread is call.kernel.scheduler.current:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    state = thread.context.get_state(flavor)
    if state is None or len(state) > room * 4:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    return (list(struct.unpack(f"<{len(state) // 4}I", state)),)


def thread_set_state(call: RpcCall, flavor: int, words: list[int]) -> None:
    thread = _thread(call)
    state = struct.pack(f"<{len(words)}I", *(word & 0xFFFF_FFFF for word in words))
    if thread is call.kernel.scheduler.current or not thread.context.set_state(flavor, state):
        raise KernelError(KernReturn.INVALID_ARGUMENT)


def thread_get_special_port(call: RpcCall, which: int) -> tuple[CarriedRight]:
    thread = _thread(call)
    return (send_right(getattr(thread, _attribute(thread, which))),)


def thread_set_special_port(call: RpcCall, which: int, right: CarriedRight) -> None:
    set_special_port(_thread(call), which, right)


def thread_set_name(call: RpcCall, name: bytes) -> None:
    _thread(call).name = name.split(b"\0")[0][:NAME_LENGTH_MAX].decode("utf-8", "replace")


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler
    for handler in (
        task_create, task_terminate, task_threads, task_suspend, task_resume, task_get_special_port,
        task_set_special_port, mach_ports_register, mach_ports_lookup, task_set_name,
        thread_create, thread_terminate, thread_suspend, thread_resume, thread_abort,
        thread_get_state, thread_set_state, thread_get_special_port, thread_set_special_port,
        thread_set_name,
    )
}
