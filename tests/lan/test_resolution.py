"""Figures 2 and 3 of the paper: a name resolved between two nodes, a message and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from machemu.inspect.servers import Row, Servers
from machemu.inspect.views import NodeView, TaskView, view_node
from machemu.testing.runs import Run, image_of, run_lan
from machemu.trace.pairing import Paired, pair_all
from tests.support.lab import COUNTER, Entry, pair

Event = dict[str, Any]
MS = 1_000_000

def gns_tables(servers: Servers) -> dict[str, list[Row]]:
    rows = servers.stat("gns")
    return {table: [row for row in rows if row["table"] == table]
            for table in ("export", "import", "port", "association", "self")}


@dataclass
class Story:
    """What was seen, stage by stage.  `events[stage]` are those since the stage before."""

    run: Run
    servers: dict[str, Servers]
    events: dict[str, list[Event]] = field(default_factory=dict)
    tables: dict[str, dict[str, dict[str, list[Row]]]] = field(default_factory=dict)  # stage, node
    views: dict[str, dict[str, NodeView]] = field(default_factory=dict)
    _seen: int = 0

    def tell(self, stage: str) -> None:
        self.events[stage] = self.run.events[self._seen:]
        self._seen = len(self.run.events)
        self.views[stage] = {name: view_node(node) for name, node in self.run.nodes.items()}
        self.tables[stage] = {name: gns_tables(servers) for name, servers in self.servers.items()}

    def wait_for(self, step: str, times: int = 1) -> None:
        """Run until a step has come `times` times since the last stage, and 1 ms more."""
        def come() -> str | None:
            steps = [event["step"] for event in self.run.events[self._seen:] if event["event"] == "step"]
            return step if steps.count(step) >= times else None

        assert self.run.lan.advance(self.run.lan.now_ns + 3_000 * MS, come) == step
        self.run.lan.advance(self.run.lan.now_ns + MS)

    def pairs(self, stage: str, prefix: str = "res.") -> list[Paired]:
        found, lonely = pair_all(self.events[stage])
        assert not [step for step in lonely if step["step"].startswith(prefix)]
        return [each for each in found if each.step["step"].startswith(prefix)]

    def steps(self, stage: str) -> list[str]:
        return [each.step["step"] for each in self.pairs(stage)]

    def partner(self, stage: str, step: str) -> Event:
        (found,) = [each.partner for each in self.pairs(stage) if each.step["step"] == step]
        return found

    def frames(self, stage: str) -> list[Event]:
        return [event for event in self.events[stage] if event["event"] == "frame"]

    def task(self, stage: str, node: str, name: str) -> TaskView:
        return self.views[stage][node].task(name)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Booted; A finds B, calls it, has ended; a second task of A's node does the same."""
    folder: Path = tmp_path_factory.mktemp("story")
    recipes = pair([], [COUNTER], extras=[Entry("client", source="adds_once")])
    run = run_lan([image_of(recipe.write(folder / recipe.name), folder / recipe.name) for recipe in recipes], seed=3)
    run.lan.advance(60 * MS)
    story = Story(run, {name: run.servers(name) for name in run.nodes})
    for servers in story.servers.values():
        servers.stat("gns")  # finds its port, so that no look-up of ours is among the steps
    story.tell("booted")
    story.servers["a"].start("bin/client", "client")
    story.wait_for("res.8")
    story.tell("found")
    story.wait_for("res.11")
    story.tell("called")
    run.lan.advance(run.lan.now_ns + 60 * MS)
    story.tell("ended")
    story.servers["a"].start("bin/client", "second")
    story.wait_for("res.8")
    story.tell("found again")
    run.lan.advance(run.lan.now_ns + 100 * MS)
    story.tell("over")
    yield story
    try:
        for servers in story.servers.values():
            servers.close()
        run.check()
    finally:
        run.close()


@pytest.mark.req("A-P00")
def test_at_first_no_network_server_knows_a_port(story: Story) -> None:
    for node in ("a", "b"):
        tables = story.tables["booted"][node]
        assert not tables["export"] and not tables["import"] and not tables["port"] and not tables["association"]
    registered = [event for event in story.events["booted"] if event["event"] == "step" and event["step"] == "reg.7"]
    assert {event["node"] for event in registered} == {"a", "b"}, "each has servers registered with its own ACS"


def test_all_steps_of_figure_2_come_in_order_and_none_twice(story: Story) -> None:
    assert story.steps("found") == ["res.1", "res.2", "res.3", "res.4", "res.5", "res.6", "res.6a", "res.7", "res.8"]


@pytest.mark.req("A-P01")
def test_step_1_a_task_asks_its_own_acs_for_a_name(story: Story) -> None:
    asked = story.partner("found", "res.1")
    assert asked["node"] == "a"
    assert asked["task"] == story.task("found", "a", "client").number
    assert asked["receiver"] == story.task("found", "a", "acs").number
    assert asked["arguments"][0] == "counter"


@pytest.mark.req("A-P02")
def test_step_2_the_acs_asks_its_gns_only_for_what_it_does_not_know(story: Story) -> None:
    asked = story.partner("found", "res.2")
    assert (asked["task"], asked["receiver"]) == tuple(
        story.task("found", "a", name).number for name in ("acs", "gns"))
    assert asked["arguments"][0] == "counter"
    assert "res.2" not in story.steps("found again"), "the second time it knows"


@pytest.mark.req("A-P03")
def test_step_3_is_one_broadcast_with_name_and_origin(story: Story) -> None:
    frame = story.partner("found", "res.3")
    assert (frame["sender"], frame["to"], frame["from"]) == ("a", "all", 1)
    assert frame["body"]["name"] == "counter"
    assert [each["type"] for each in story.frames("found")].count("NAME_REQ") == 1
    assert frame["octets"].startswith("ff" * 6)


@pytest.mark.req("A-P04")
def test_step_4_the_other_gns_asks_its_acs(story: Story) -> None:
    asked = story.partner("found", "res.4")
    assert asked["node"] == "b"
    assert (asked["task"], asked["receiver"]) == tuple(
        story.task("found", "b", name).number for name in ("gns", "acs"))


@pytest.mark.req("A-P05")
def test_step_5_gives_that_gns_a_send_right(story: Story) -> None:
    answer = story.partner("found", "res.5")
    assert (answer["task"], answer["receiver"]) == tuple(
        story.task("found", "b", name).number for name in ("acs", "gns"))
    (port,) = [argument["port"] for argument in answer["arguments"][1] if isinstance(argument, dict)]
    held = [right for right in story.task("found", "b", "gns").rights if right.port == port]
    assert [right.kinds for right in held] == [frozenset({"send"})]
    assert story.views["found"]["b"].port(port).receiver == story.task("found", "b", "counter").number


@pytest.mark.req("A-P06")
def test_step_6_answers_the_asker_alone_with_the_identifier(story: Story) -> None:
    frame = story.partner("found", "res.6")
    assert (frame["sender"], frame["from"], frame["to"]) == ("b", 2, 1)
    (row,) = story.tables["found"]["b"]["export"]
    assert (int(row["node"]), int(row["uid"], 16), row["kind"]) == (1, frame["body"]["uid"], "send")


@pytest.mark.req("A-P07")
def test_step_7_makes_a_proxy_of_which_the_gns_is_the_receiver(story: Story) -> None:
    answer = story.partner("found", "res.7")
    (port,) = [argument["port"] for argument in answer["arguments"][1] if isinstance(argument, dict)]
    gns = story.task("found", "a", "gns").number
    assert story.views["found"]["a"].port(port).receiver == gns
    (row,) = story.tables["found"]["a"]["import"]
    proxy = [right for right in story.task("found", "a", "gns").rights if right.name == int(row["proxy"], 16)]
    assert [right.port for right in proxy] == [port]
    assert (int(row["node"]), int(row["uid"], 16)) == (2, story.partner("found", "res.6")["body"]["uid"])


@pytest.mark.req("A-P08")
def test_step_8_gives_the_task_a_send_right_and_nothing_more(story: Story) -> None:
    (port,) = [argument["port"] for argument in story.partner("found", "res.7")["arguments"][1]
               if isinstance(argument, dict)]
    held = [right for right in story.task("found", "a", "client").rights if right.port == port]
    assert [right.kinds for right in held] == [frozenset({"send"})]
    assert "res.9" not in story.steps("found")


@pytest.mark.req("A-P09")
def test_step_9_is_an_ordinary_message_on_the_proxy(story: Story) -> None:
    sent = story.partner("called", "res.9")
    assert sent["task"] == story.task("found", "a", "client").number
    assert sent["routine"] == "counter_add"
    assert story.views["found"]["a"].port(sent["port"]).receiver == story.task("found", "a", "gns").number


@pytest.mark.req("A-P10")
@pytest.mark.req("A-N13")
def test_step_10_names_both_ports_by_node_and_identifier(story: Story) -> None:
    frame = story.partner("called", "res.10")
    (item,) = frame["items"]
    assert (frame["to"], item["dest_uid"]) == (2, story.partner("found", "res.6")["body"]["uid"])
    assert (item["reply"]["node"], item["reply"]["uid"]) == (1, 256), "the first identifier node 1 gives"
    sent = story.partner("called", "res.9")
    inline = bytes.fromhex(item["inline"]["hex"])
    assert int.from_bytes(inline[8:16], "little") == 5, "the argument"
    assert sent["reply"] != item["reply"]["uid"]


@pytest.mark.req("A-P11")
@pytest.mark.req("A-N14")
def test_step_11_gives_the_server_a_local_reply_port_and_its_answer_reaches_the_client(story: Story) -> None:
    delivered = story.partner("called", "res.11")
    gns, counter = (story.task("called", "b", name).number for name in ("gns", "counter"))
    assert (delivered["node"], delivered["task"], delivered["receiver"]) == ("b", gns, counter)
    replies = [event for event in story.events["called"] + story.events["ended"]
               if event["event"] == "message_sent" and event.get("routine") == "counter_add"
               and event["reply_to_request"]]
    assert [(event["node"], event["task"], event["receiver"]) for event in replies] == [
        ("b", counter, gns), ("a", story.task("found", "a", "gns").number, story.task("found", "a", "client").number)]
    assert replies[0]["port"] == delivered["reply"]
    assert "the sum is 5" in story.run.console("a")


@pytest.mark.req("A-P13")
def test_the_proxy_lives_while_someone_holds_it(story: Story) -> None:
    assert len(story.tables["ended"]["a"]["import"]) == 1, "the ACS remembers it for 30 s"
    story.run.lan.advance(story.run.lan.now_ns + 40_000 * MS)
    assert gns_tables(story.servers["a"])["import"] == []


@pytest.mark.req("A-P16")
def test_second_task_of_the_node_is_answered_by_the_acs_alone(story: Story) -> None:
    assert story.steps("found again") == ["res.1", "res.8"]
    assert story.frames("found again") == []
    assert "the sum is 10" in story.run.console("a")
