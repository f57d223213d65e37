"""Balance: what must be equal when nothing is going on (ports, rights, frames)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from machemu.kernel.ipc.message import count_message
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import RECEIVE, SEND, SEND_ONCE

if TYPE_CHECKING:
    from machemu.kernel.kernel import Kernel


def check_balance(kernel: Kernel) -> None:
    """Assert that every port's counts are those of the rights that exist, and that no
    page frame is lost."""
    sends: Counter[Port] = Counter()
    onces: Counter[Port] = Counter()
    receivers: Counter[Port] = Counter()
    for task in kernel.tasks.values():
        for entry in task.space.entries.values():
            if entry.port is None:
                continue
            sends[entry.port] += bool(entry.kind & SEND)
            onces[entry.port] += bool(entry.kind & SEND_ONCE)
            receivers[entry.port] += bool(entry.kind & RECEIVE)
        for port in (task.bootstrap_port, task.exception_port, *task.registered):
            if port is not None:
                sends[port] += 1
        if task.kernel_port is not None and task.kernel_port is not task.self_port:
            sends[task.kernel_port] += 1
        for thread in task.threads:
            if thread.exception_port is not None:
                sends[thread.exception_port] += 1
            if thread.kernel_port is not None and thread.kernel_port is not thread.self_port:
                sends[thread.kernel_port] += 1
    kernel.count_own_rights(sends, onces)
    for port in kernel.zone.live:
        _count_queued(port, sends, onces)
        for request in (port.no_senders, port.port_destroyed, *port.dead_name_requests.values()):
            if request is not None:
                onces[request] += 1
    for port in kernel.zone.live:
        assert port.send_rights == sends[port], (
            f"port {port.number}: {port.send_rights} send rights, {sends[port]} found")
        assert port.send_once_rights == onces[port], (
            f"port {port.number}: {port.send_once_rights} send-once rights, {onces[port]} found")
        assert receivers[port] == (port.receiver is not None), f"port {port.number}: receivers"
    kernel.pool.check()


def _count_queued(port: Port, sends: Counter[Port], onces: Counter[Port]) -> None:
    messages = [message for message in port.queue.messages if message.dest is port]
    messages += [wait.message for wait in port.blocked_senders]
    for message in messages:
        count_message(message, sends, onces)
