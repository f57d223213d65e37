"""What crosses the wire: identifiers instead of rights, frames, and that nothing is lost."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from machemu.cluster.segment import Segment
from machemu.inspect.views import view_node
from machemu.testing.runs import Run
from machemu.wire.schema import Number
from tests.lan.conftest import Boot
from tests.support.lab import COUNTER, Entry, main, pair

SOAK = Entry("soak", "soak_server", flags=("ready",))


def ends_well(run: Run) -> None:
    assert run.go().failures == [], "".join(run.console(name) for name in run.nodes)


def items(run: Run, kind: str) -> list[dict[str, Any]]:
    return [{**item, "from": frame["from"]} for frame in run.of("frame") for item in frame.get("items", ())
            if item["item"] == kind]


@pytest.mark.req("A-N13")
@pytest.mark.req("A-N14")
def test_rights_of_each_kind_survive_the_trip_there_and_home(boot: Boot) -> None:
    run = boot(*pair([main("rights", source="remote_rights")], [Entry("mirror", source="mirror", flags=("ready",))]))
    ends_well(run)
    carried = {descriptor["what"] for item in items(run, "MSG") for descriptor in item["descriptors"]}
    assert {1, 2, 4} <= carried, "send rights of the sender and going home, and send-once rights"


@pytest.mark.req("A-N13")
def test_the_wire_holds_no_local_names(boot: Boot) -> None:
    run = boot(*pair([main("client", "counter_client")], [COUNTER]))
    ends_well(run)
    servers = run.servers("b")
    ports = {row["uid"]: row["port"] for row in servers.table("gns", "export")}
    servers.close()
    assert ports
    assert all(uid != name for uid, name in ports.items()), "what the wire names is no name of the server's"
    assert {f"{item['dest_uid']:x}" for item in items(run, "MSG") if item["from"] == 1} & ports.keys()
    for item in items(run, "MSG"):
        for descriptor in (*item["descriptors"], item["reply"]):
            if descriptor["what"]:
                assert descriptor["uid"] >= Number.FIRST_UID
                assert descriptor["node"] in (1, 2)
    # Where the name stood in the body there are zeros.
    with_rights = [item for item in items(run, "MSG") if item["descriptors"]]
    assert with_rights
    for item in with_rights:
        inline = bytes.fromhex(item["inline"]["hex"])
        for descriptor in item["descriptors"]:
            at = descriptor["offset"]
            assert inline[at:at + 4] == bytes(4)


@pytest.mark.req("A-N04")
def test_the_port_database_has_a_row_for_each_local_port_given_away(boot: Boot) -> None:
    run = boot(*pair([main("client", "counter_client")], [COUNTER]))
    ends_well(run)
    servers = run.servers("b")
    exports = {(int(row["uid"], 16), int(row["port"], 16)) for row in servers.table("gns", "export")
               if row["state"] == "live"}
    servers.close()
    view = view_node(run.nodes["b"])
    counter = view.task("counter").number
    for uid, name in exports:
        (right,) = [right for right in view.task("gns").rights if right.name == name]
        assert uid >= Number.FIRST_UID
        assert view.port(right.port).receiver == counter
    assert exports


@pytest.mark.req("A-N08")
@pytest.mark.parametrize("octets", [1, 1400, 5000, 60000])  # all within the window, whose edge cuts, too
def test_a_message_takes_as_many_frames_as_its_length_needs(boot: Boot, octets: int) -> None:
    run = boot(*pair([main("one", "", str(octets), source="one_message")], [SOAK]))
    ends_well(run)
    frames = [frame for frame in run.of("frame") if frame.get("type") == "DATA" and frame["from"] == 1]
    # The question that follows takes a frame of its own.
    last = next(number for number, frame in enumerate(frames) if frame.get("items"))
    (item,) = frames[last]["items"]
    assert (item["item"], item["id"], item["msgh_id"]) == ("MSG", 1, 0x6100)
    pieces = [record for frame in frames[:last + 1] for record in frame["body"]["records"]
              if record["kind"] == "Stream"]
    carried = sum(_length(record["data"]) for record in pieces)
    assert carried > octets
    assert len(pieces) == math.ceil(carried / Number.STREAM_DATA_MAX)
    assert all(_length(record["data"]) <= Number.STREAM_DATA_MAX for record in pieces)


def _length(octets: dict[str, Any] | str) -> int:
    return len(octets) if isinstance(octets, str) else int(octets["octets"])


@pytest.mark.req("A-F02")
def test_network_server_and_device_share_their_frames(boot: Boot) -> None:
    run = boot(*pair([main("client", "counter_client")], [COUNTER]))
    ends_well(run)
    for node in run.nodes.values():
        gns = node.kernel.tasks[view_node(node).task("gns").number]
        nic = node.machine.mapped_devices["eth0"]
        shared = {offset >> 12 for offset in gns.memory.space.readable.values()}
        windows = {frame for window in nic.registers["q0"].windows.opened for frame in window.frames}
        assert windows
        assert windows <= shared, "the window and the map name the same frames"
        assert windows <= node.kernel.pool.pins.keys()
    gns_calls = {(event["node"], event["routine"]) for event in run.of("message_sent", interface="device")
                 if event["task"] in [view_node(node).task("gns").number for node in run.nodes.values()]}
    assert {routine for _, routine in gns_calls} == {"device_open", "device_map", "device_set_status"}, (
        "it sets the device up and never hands the kernel a frame")


@pytest.mark.parametrize("loss", [0.0, pytest.param(0.05, marks=pytest.mark.slow)])
def test_a_thousand_messages_arrive_once_and_in_order(boot: Boot, loss: float) -> None:
    run = boot(*pair([main("sender", "soak_client", "1000", "65536", "10")], [SOAK]), seed=5, trace=False,
               segment=Segment(seed=5, loss=loss))
    ends_well(run)
    lines = run.console("a").splitlines()
    assert lines[0] == "soak: 1000 messages sent, 1000 received, 0 faults, first -1"
    assert lines[2] == "soak: 100 rights passed, all answered"
    if loss:
        assert run.lan.segment.counters.lost > 100


def test_hundred_messages_survive_every_fault_of_the_wire(boot: Boot) -> None:
    segment = Segment(seed=9, loss=0.2, duplication=0.1, reordering=0.2, corruption=0.1)
    run = boot(*pair([main("sender", "soak_client", "100", "20000", "10")], [SOAK]), segment=segment)
    ends_well(run)
    assert "soak: 100 messages sent, 100 received, 0 faults, first -1" in run.console("a")
    counters = segment.counters
    assert min(counters.lost, counters.duplicated, counters.reordered, counters.corrupted) > 10


def test_frames_of_a_run_can_be_read_back(boot: Boot, tmp_path: Path) -> None:
    run = boot(*pair([main("client", "counter_client")], [COUNTER]))
    ends_well(run)
    assert all("malformed" not in frame for frame in run.of("frame"))
