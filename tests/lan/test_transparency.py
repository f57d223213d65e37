"""The same binaries on one node and on two."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from elftools.elf.elffile import ELFFile

from machemu.testing.runs import BUILT, Run
from machemu.trace.pairing import pair_all
from tests.lan.conftest import Boot
from tests.support.lab import COUNTER, GNS, Entry, alone, main, pair

CLIENT = main("client", "counter_client")


def ends_well(run: Run) -> None:
    assert run.go().failures == [], "".join(run.console(name) for name in run.nodes)


def steps(run: Run, client: str) -> list[str]:
    """The steps of the look-up that the task `client` asks for."""
    pairs, _ = pair_all(run.events)
    (task,) = {(event["node"], event["task"]) for event in run.of("task_named", name=client)}
    begin = next(number for number, each in enumerate(pairs) if each.step["step"] == "res.1"
                 and (each.partner["node"], each.partner["task"]) == task)
    end = next(number for number in range(begin, len(pairs)) if pairs[number].step["step"] == "res.8")
    return [each.step["step"] for each in pairs[begin:end + 1] if each.step["step"].startswith("res.")]


@pytest.mark.req("A-P14")
def test_client_holds_no_network_code_and_does_not_notice_the_network(boot: Boot) -> None:
    octets = (BUILT / "programs" / "counter_client").read_bytes()
    symbols = ELFFile(io.BytesIO(octets)).get_section_by_name(".symtab")
    names = [symbol.name for symbol in symbols.iter_symbols()]
    assert "counter_add" in names
    assert [name for name in names if name.startswith(("gns_", "nic_", "engine_", "stream_"))] == []

    near = boot(alone(COUNTER, CLIENT))
    far = boot(*pair([CLIENT], [COUNTER]))
    ends_well(near)
    ends_well(far)
    assert near.console("alone") == far.console("a")
    assert steps(far, "client")[:3] == ["res.1", "res.2", "res.3"]


@pytest.mark.req("A-P15")
def test_look_up_on_one_node_is_steps_1_and_8_without_a_frame(boot: Boot) -> None:
    run = boot(alone(GNS, COUNTER, CLIENT))
    ends_well(run)
    assert steps(run, "client") == ["res.1", "res.8"]
    assert [frame["type"] for frame in run.of("frame") if frame["type"] != "NODE_UP"] == []


@pytest.mark.req("A-P12")
def test_identifiers_are_unique_over_all_nodes(boot: Boot) -> None:
    # Both directions at once, each message with rights of its own.
    soak = Entry("soak", "soak_server", flags=("ready",))
    sender = main("sender", "soak_client", "60", "2000", "2")
    run = boot(*pair([soak, CLIENT], [COUNTER, sender]), seed=11)
    ends_well(run)
    homes: Counter[tuple[int, int, int]] = Counter()
    for frame in run.of("frame"):
        for item in frame.get("items", ()):
            given = [item["reply"], *item["descriptors"]] if item["item"] == "MSG" else []
            for descriptor in given:
                if descriptor["what"] == 4:  # a send-once right, of which there is one
                    homes[descriptor["node"], descriptor["epoch"], descriptor["uid"]] += 1
    assert len(homes) > 20
    assert set(homes.values()) == {1}


@pytest.mark.req("A-M13")
def test_every_message_between_tasks_enters_by_mach_msg(boot: Boot) -> None:
    run = boot(*pair([CLIENT], [COUNTER]), trace=False)
    entered: Counter[str] = Counter()
    received: Counter[str] = Counter()
    for node in run.nodes.values():
        events = node.kernel.events
        inside: list[int] = [0]

        def trap(event: object, inside: list[int] = inside) -> None:
            inside[0] = event.number  # type: ignore[attr-defined]

        def sent(event: object, name: str = node.name, inside: list[int] = inside) -> None:
            if event.task:  # type: ignore[attr-defined]
                entered[name] += 1
                assert inside[0] == -25, "the last trap is the one this message came by"

        def took(event: object, name: str = node.name) -> None:
            received[name] += 1

        events.trap_taken.attach(trap)
        events.message_sent.attach(sent)
        events.message_received.attach(took)
    ends_well(run)
    assert all(not node.kernel.events.message_sent.failures for node in run.nodes.values())
    assert min(entered.values()) > 100
    assert min(received.values()) > 100
