"""GNU Mach's own calls on tasks and threads: ends with everything given up, new tasks told.

Rules and errors: mach-abi.md 6.9, 6.10.  Follows GNU Mach `kern/thread.c`, `kern/task.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.interfaces import task_notify as interface
from machemu.interfaces.runtime import encode_request
from machemu.kernel.ipc.right import MACH_PORT_NULL, MOVE_SEND, Carried, CarriedRight
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc.call import send_message
from machemu.kernel.rpc.host import HostPrivileged
from machemu.kernel.task.task import Task
from machemu.kernel.task.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from machemu.kernel.kernel import Kernel
    from machemu.kernel.rpc.call import Handler, RpcCall

NEW_TASK: Final = 4400
_ROUTINE: Final = interface.SUBSYSTEM.routines[NEW_TASK]


def thread_terminate_release(call: RpcCall, right: CarriedRight, thread_name: int, reply_port: int,
                             address: int, size: int) -> None:
    """What a thread needs to end itself: nobody could give these up for it afterwards."""
    thread = call.target_as(Thread)
    task = right.port.kernel_object if isinstance(right, Carried) else None
    if not isinstance(task, Task):
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    assert isinstance(right, Carried)
    right.destroy()
    _try(lambda: task.space.deallocate(thread_name))
    if reply_port != MACH_PORT_NULL:
        _try(lambda: task.space.destroy_name(reply_port))
    if address or size:
        _try(lambda: task.memory.deallocate(address, size))
    call.kernel.terminate_thread(thread)


def _try(step: Callable[[], object]) -> None:
    """As in GNU Mach, a step that cannot be done does not keep the thread alive."""
    try:
        step()
    except KernelError:
        return


def register_new_task_notification(call: RpcCall, right: CarriedRight) -> None:
    """NO_ACCESS: there is a port already, be it dead by now."""
    call.target_as(HostPrivileged, KernReturn.INVALID_HOST)
    if call.kernel.new_task_port is not None:
        raise KernelError(KernReturn.NO_ACCESS)
    if isinstance(right, Carried):
        if right.kind != MOVE_SEND:
            raise KernelError(KernReturn.INVALID_CAPABILITY)
        call.kernel.new_task_port = right.port


def announce_task(kernel: Kernel, task: Task, parent: Task) -> None:
    """Tell who asked for it that `task` was created, with rights on both."""
    port = kernel.new_task_port
    if port is not None and not port.dead and port.kernel_object is None:
        encoded = encode_request(_ROUTINE, (task.self_port.make_send(), parent.self_port.make_send()))
        send_message(kernel, encoded, NEW_TASK, port.copy_send().port, MOVE_SEND)


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler
    for handler in (thread_terminate_release, register_new_task_notification)
}
