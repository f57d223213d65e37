"""The paper's two broadcast optimisations, which a site switches on: who is known to whom, and
what is no longer asked."""

from __future__ import annotations

from typing import Any, Final

import pytest

from machemu.testing.runs import Run
from machemu.trace.pairing import pair_all
from tests.lan.conftest import Boot
from tests.support.lab import ACS, COUNTER, GNS, NodeRecipe, main

MS: Final = 1_000_000
CALLS_AFTER: Final = 600 * MS  # of virtual time: everything before has come to rest

# A server that itself asks for a server of another node, and then answers one request.
ASKER: Final = """
#include <mach.h>
#include <machemu/server.h>
#include <mig/counter.h>

int main(void)
{
	mach_port_t port = server_check_in("asker"), counter;
	struct { mach_msg_header_t head; char room[64]; } message;
	int64_t sum;

	if (server_look_up("counter", &counter) != KERN_SUCCESS || counter_add(counter, 5, &sum) != KERN_SUCCESS)
		return 1;
	if (mach_msg(&message.head, MACH_RCV_MSG, 0, sizeof message, port, 0, MACH_PORT_NULL) != MACH_MSG_SUCCESS)
		return 2;
	message.head.msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(message.head.msgh_bits), 0);
	message.head.msgh_local_port = MACH_PORT_NULL;
	return mach_msg(&message.head, MACH_SEND_MSG, sizeof message.head, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}
"""

# Waits, then asks for "asker", and has one request answered.
CALLER: Final = """
#include <mach.h>
#include <mach/thread_switch.h>
#include <machemu/server.h>

int main(void)
{
	struct { mach_msg_header_t head; char room[64]; } message = {0};
	mach_port_t asker, reply = mach_reply_port();

	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 800);
	if (server_look_up("asker", &asker) != KERN_SUCCESS)
		return 1;
	message.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	message.head.msgh_remote_port = asker;
	message.head.msgh_local_port = reply;
	message.head.msgh_id = 7001;
	return mach_msg(&message.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof message, reply, 0, MACH_PORT_NULL);
}
"""


def a_b_c(boot: Boot, caller: str, **site: object) -> Run:
    """A server of node a asks for one of node b; later a task of node `caller` asks for it."""
    there = {name: [main("caller", text=CALLER)] if name == caller else [] for name in "abc"}
    return boot(*(NodeRecipe(number, name, (ACS, GNS, *more, *there[name]), site) for number, name, more in (
        (1, "a", [main("asker", text=ASKER)]), (2, "b", [COUNTER]), (3, "c", []))))


def names_heard(run: Run, node: str) -> list[tuple[str, str]]:
    servers = run.servers(node)
    rows = servers.table("gns", "name")
    servers.close()
    return [(row["name"], row["node"]) for row in rows]


def frames(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == "frame" and event["type"] == kind]


@pytest.mark.req("A-P21")
@pytest.mark.parametrize("caller", ["b", "c"])
def test_who_asked_once_is_listed_everywhere_and_reached_without_a_resolution(boot: Boot, caller: str) -> None:
    run = a_b_c(boot, caller, announce_origin=True)
    run.lan.advance(CALLS_AFTER)
    (request,) = frames(run.events, "NAME_REQ")
    assert (request["from"], request["body"]["name"], request["body"]["origin"]["name"]) == (1, "counter", "asker")
    assert names_heard(run, "b") == names_heard(run, "c") == [("asker", "1")]
    seen = len(run.events)
    assert run.go().failures == [], "".join(run.console(name) for name in run.nodes)
    later = run.events[seen:]
    assert frames(later, "NAME_REQ") == frames(later, "NAME_ANS") == []
    steps = [each.step["step"] for each in pair_all(later)[0] if each.step["node"] == caller]
    assert [step for step in steps if step in ("res.1", "res.2", "res.3", "res.7", "res.8")] == [
        "res.1", "res.2", "res.7", "res.8"]


def test_without_the_optimisation_who_asked_has_to_be_asked_for(boot: Boot) -> None:
    run = a_b_c(boot, "b")
    run.lan.advance(CALLS_AFTER)
    assert names_heard(run, "b") == names_heard(run, "c") == []
    assert run.go().failures == [], "".join(run.console(name) for name in run.nodes)
    assert [(frame["from"], frame["body"]["name"]) for frame in frames(run.events, "NAME_REQ")] == [
        (1, "counter"), (2, "asker")]
