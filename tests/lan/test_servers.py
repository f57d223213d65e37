"""Servers of a running system: names, processes, what may be added and what may stop."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from machemu.inspect.views import view_node
from machemu.testing.runs import BUILT, Run
from tests.lan.conftest import Boot
from tests.support.lab import ACS, COUNTER, GNS, Entry, NodeRecipe, alone, main, pair, personality

MS = 1_000_000
STATUS = Entry("status", source="status")


def ends_well(run: Run) -> None:
    outcome = run.go()
    assert outcome.failures == [], "".join(run.console(name) for name in run.nodes)


@pytest.mark.req("A-S18")
def test_names_are_registered_resolved_listed_and_taken_back(boot: Boot) -> None:
    ends_well(boot(alone(COUNTER, main("names", source="names"))))


@pytest.mark.req("A-S18")
def test_each_node_has_one_acs(boot: Boot) -> None:
    run = boot(*pair([], []))
    run.lan.advance(50 * MS)
    for node in run.nodes.values():
        assert [task.name for task in view_node(node).tasks].count("acs") == 1


@pytest.mark.req("A-S14")
@pytest.mark.parametrize("where", ["here", "on another node"])
def test_process_server_starts_lists_kills_and_knows_owners(boot: Boot, where: str) -> None:
    if where == "here":
        run = boot(alone(COUNTER, main("processes", "", "proc@1", "bin/status", source="processes"), extras=[STATUS]))
        home = "alone"
    else:
        run = boot(*pair([main("processes", "", "proc@2", "bin/status", source="processes")], [COUNTER],
                         extras=[STATUS]))
        home = "b"
    ends_well(run)
    told = [line.split() for line in run.console(next(iter(run.nodes))).splitlines() if line.startswith("owner")]
    octets = (BUILT / "programs" / "counter").read_bytes()
    assert told == [["owner", str(view_node(run.nodes[home]).task("counter").number),
                     hashlib.sha256(octets).hexdigest()]]


@pytest.mark.req("A-S02")
def test_server_added_to_a_running_node_is_found_from_another(boot: Boot) -> None:
    run = boot(*pair([], [], extras=[Entry("counter", "counter"), Entry("counter_client", "counter_client")]))
    run.lan.advance(50 * MS)
    assert "counter" not in [task.name for task in view_node(run.nodes["b"]).tasks]
    before = {name: view_node(node).task("gns").number for name, node in run.nodes.items()}
    there, here = run.servers("b"), run.servers("a")
    there.start("bin/counter", "counter")
    run.lan.advance(run.lan.now_ns + 20 * MS)
    assert "counter" in [row["name"] for row in there.table("acs", "name")]
    here.start("bin/counter_client", "client")
    run.lan.advance(run.lan.now_ns + 2_000 * MS, lambda: "end" if run.of("task_ended", name="client") else None)
    assert [event["status"] for event in run.of("task_ended", name="client")] == [0]
    assert {name: view_node(node).task("gns").number for name, node in run.nodes.items()} == before
    for servers in (here, there):
        servers.close()


@pytest.mark.req("A-S17")
def test_stopping_the_network_server_stops_remote_calls_alone(boot: Boot) -> None:
    gns = replace(GNS, flags=("ready", "host", "device"))  # not started again
    soak = Entry("soak", "soak_server", flags=("ready",))
    caller = main("caller", source="calls_far_and_near")
    run = boot(NodeRecipe(1, "a", (ACS, gns, soak, caller)), pair([], [COUNTER])[1])
    run.go(stop=lambda: "works" if "works" in run.console("a") else None)
    for node in run.nodes.values():
        assert [task.name for task in view_node(node).tasks].count("gns") == 1
    node = run.nodes["a"]
    gns = view_node(node).task("gns").number
    node.kernel.terminate_task(node.kernel.tasks[gns], None, "the operator stops it")
    ends_well(run)
    assert "gns" not in [task.name for task in view_node(run.nodes["a"]).tasks]


@pytest.mark.req("A-S04")
def test_generic_servers_ask_nothing_of_personalities(boot: Boot) -> None:
    names = ("unix", "dos", "os2", "win32")
    run = boot(alone(GNS, *(personality(name) for name in names),
                     *(main(f"{name}-hello", f"{name}_hello", personality=name) for name in names)))
    ends_well(run)
    tasks = {event["task"]: event["name"] for event in run.of("task_named")}
    kernel = run.nodes["alone"].kernel
    tasks |= {number: task.name for number, task in kernel.tasks.items()}
    requests = {(tasks.get(event["task"], "kernel"), tasks.get(event["receiver"], "kernel"))
                for event in run.of("message_sent") if not event.get("reply_to_request")}
    generic = {"bootstrap", "proc", "acs", "gns"}
    assert {(one, other) for one, other in requests if one in generic and other in names} == set()
    assert {(one, other) for one, other in requests if one in names and other in generic}, "the other way there are"
