"""Ports, tasks, servers and nodes that die, and rights that are given up (5.2, 5.6)."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import Right
from tests.servers.gns_host.lan import MS, SECOND, Client, Lan, MakeLan
from tests.servers.test_gns_messages import DEAD_NAME, SEND_ONCE_NOTIFICATION, messages_on_wire, receive
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    Give,
    header,
    message,
    port_item,
)

pytest_plugins = ("tests.servers.gns_host.fixtures",)

NO_SENDERS, DEAD_NAME_NOTIFICATION = 70, 72


def ask_no_senders(actor: Client, port: int) -> int:
    """Where the kernel will tell that nobody has a right to `port`."""
    notify = actor.port()
    actor.call(3214, port, NO_SENDERS, 1, Give(notify, MAKE_SEND_ONCE))
    return notify


def terminate(lan: Lan, actor: Client) -> None:
    actor.rig.kernel.terminate_task(actor.task, None, "killed")
    actor.rig.actors.remove(actor)


@pytest.mark.req("A-P13")
def test_proxy_goes_with_its_last_local_right_and_the_owner_is_told(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    notify = ask_no_senders(server, port)
    lan[2].acs.forget(b"server")
    client.send(header(proxy))
    receive(lan, server, port)
    lan.run(20 * MS)
    assert server.poll(notify) is None
    client.space.deallocate(proxy)
    assert receive(lan, server, notify).ident == NO_SENDERS
    lan.run(20 * MS)
    assert lan[1].stat("import") == lan[2].stat("export") == lan[2].stat("port") == []


@pytest.mark.req("A-P13")
def test_right_given_out_again_keeps_the_proxy(make_lan: MakeLan) -> None:
    """The server sends its port once more while the client gives up the first right."""
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    client.send(header(proxy, reply, MOVE_SEND, MAKE_SEND_ONCE))  # its only right
    request = receive(lan, server, port)
    server.send(message(request.remote, port_item(port, MAKE_SEND), remote_use=MOVE_SEND_ONCE))
    again = receive(lan, client, reply).word(8)
    client.send(header(again, ident=6))
    assert receive(lan, server, port).ident == 6
    lan.run(20 * MS)
    assert [row["n"] for row in lan[1].stat("import")] == [row["n"] for row in lan[2].stat("export")]


@pytest.mark.req("A-N07")
def test_port_that_dies_leaves_dead_names(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    other = lan[1].actor()
    elsewhere = lan.resolve(other, lan[1], b"server")
    server.space.change_references(port, Right.RECEIVE, -1)
    lan.run(20 * MS)
    assert client.space.lookup(proxy).kind == DEAD_NAME
    assert other.space.lookup(elsewhere).kind == DEAD_NAME
    assert lan[1].stat("import") == lan[2].stat("export") == lan[2].stat("port") == []


@pytest.mark.req("A-N07")
def test_server_killed_in_the_middle_of_a_request_ends_it(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    receive(lan, server, port)
    terminate(lan, server)
    assert receive(lan, client, reply).ident == SEND_ONCE_NOTIFICATION
    lan.run(20 * MS)
    assert client.space.lookup(proxy).kind == DEAD_NAME


def test_send_once_right_destroyed_there_is_notified_here(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    server.space.deallocate(receive(lan, server, port).remote)
    assert receive(lan, client, reply).ident == SEND_ONCE_NOTIFICATION


@pytest.mark.req("A-N07")
def test_client_that_dies_leaves_a_dead_reply_right_within_two_seconds(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    client.send(header(proxy, client.port(), COPY_SEND, MAKE_SEND_ONCE))
    name = receive(lan, server, port).remote
    terminate(lan, client)
    lan.run(2 * SECOND)
    assert server.space.lookup(name).kind == DEAD_NAME
    assert not [row for row in lan[1].stat("export") if row["kind"] == "send-once"]


def test_reply_to_a_client_that_died_just_now_is_lost_and_counted_off(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    client.send(header(proxy, client.port(), COPY_SEND, MAKE_SEND_ONCE))
    request = receive(lan, server, port)
    terminate(lan, client)
    server.send(message(request.remote, port_item(server.port(), MAKE_SEND), remote_use=MOVE_SEND_ONCE))
    lan.run(5 * SECOND)
    assert lan[1].stat("export") == []
    assert [row["uid"] for row in lan[2].stat("export")] == [row["uid"] for row in lan[1].stat("import")]


def test_message_to_a_port_that_has_just_died_gives_its_rights_back(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply, gift = client.port(), client.port()
    notify = ask_no_senders(client, gift)
    client.send(message(proxy, port_item(gift, MAKE_SEND), local=reply, local_use=MAKE_SEND_ONCE))
    server.space.change_references(port, Right.RECEIVE, -1)
    assert receive(lan, client, reply).ident == SEND_ONCE_NOTIFICATION
    assert receive(lan, client, notify).ident == NO_SENDERS
    lan.run(20 * MS)
    assert lan[1].stat("export") == lan[2].stat("export") == []
    assert lan[1].counter("cap_violation") == lan[2].counter("cap_violation") == 0


@pytest.mark.req("A-N05")
def test_no_uid_is_used_twice(make_lan: MakeLan) -> None:
    """Ports are made, sent and destroyed, here or there; their names are used again at once."""
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    names: set[int] = set()
    for number in range(1000):
        gift = client.port()
        client.send(message(proxy, port_item(gift, MAKE_SEND)))
        name = receive(lan, server, port).word(8)
        names.add(gift)
        client.space.destroy_name(gift)
        if number % 2:
            lan.run(MS)
        server.space.destroy_name(name)
    uids = [sent.descriptors[0].uid for sent in messages_on_wire(lan)]
    assert len(set(uids)) == len(uids) == 1000
    assert len(names) < 300  # one name in 256 generations


# -- servers and nodes ------------------------------------------------------------------------


@pytest.mark.req("A-N12")
def test_partition_gives_dead_names_in_bounded_time_and_heals_by_name(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    lan.segment.separate(1, 2)
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    lan.run(16 * SECOND)
    assert client.take(reply).ident == SEND_ONCE_NOTIFICATION
    assert client.space.lookup(proxy).kind == DEAD_NAME
    assert lan[1].counter("assoc_down") == lan[2].counter("assoc_down") == 1
    assert lan[2].stat("export") == []
    lan.segment.rejoin(1, 2)
    again = lan.resolve(client, lan[1], b"server")
    client.send(header(again, ident=3))
    assert receive(lan, server, port).ident == 3
    assert server.poll(port) is None


def test_idle_association_is_not_called_down_when_it_is_needed_again(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    client.space.deallocate(proxy)
    lan.run(60 * SECOND)
    assert lan[1].stat("import") == []
    again = lan.resolve(client, lan[1], b"server")
    client.send(header(again, ident=3))
    assert receive(lan, server, port).ident == 3
    assert lan[1].counter("assoc_down") == lan[2].counter("assoc_down") == 0


def test_quiet_association_with_rights_lives_on(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    lan.run(120 * SECOND)
    client.send(header(proxy, ident=8))
    assert receive(lan, server, port).ident == 8
    assert lan[1].counter("hs_sent") == 1


@pytest.mark.req("A-N05")
@pytest.mark.req("A-N07")
def test_reboot_kills_rights_of_the_old_epoch(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    gift = client.port()
    notify = ask_no_senders(client, gift)
    client.send(message(proxy, port_item(gift, MAKE_SEND)))
    receive(lan, server, port)
    old_uid = lan[1].stat("import")[0]["uid"]
    lan.crash(lan[2])
    lan.boot(2, epoch=2)
    lan.run(SECOND)  # its NODE_UP
    assert client.space.lookup(proxy).kind == DEAD_NAME
    assert receive(lan, client, notify).ident == NO_SENDERS
    server = lan[2].actor()
    port = server.port()
    lan[2].acs.register(b"server", server, port)
    again = lan.resolve(client, lan[1], b"server")
    client.send(header(again, ident=4))
    assert receive(lan, server, port).ident == 4
    [row] = lan[1].stat("import")
    assert (row["epoch"], row["uid"]) == ("2", old_uid)  # same number, another boot: another identifier


@pytest.mark.req("A-S17")
def test_network_server_started_again_drops_the_old_rights(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    old_uid = int(lan[1].stat("import")[0]["uid"], 16)
    lan[2].stop()
    lan.run(SECOND)
    lan[2].start()
    client.send(header(proxy, client.port(), COPY_SEND, MAKE_SEND_ONCE))
    lan.run(2 * SECOND)
    assert client.space.lookup(proxy).kind == DEAD_NAME
    again = lan.resolve(client, lan[1], b"server")
    client.send(header(again, ident=5))
    assert receive(lan, server, port).ident == 5
    new_uid = int(lan[1].stat("import")[0]["uid"], 16)
    assert (old_uid >> 48, new_uid >> 48) == (0, 1)


@pytest.mark.req("A-S17")
def test_name_asked_while_the_old_association_is_believed_in_works(make_lan: MakeLan) -> None:
    """Node 2's server starts again; node 1 hears of it only from the answer to a name."""
    lan = make_lan()
    client, _, server, port = lan.connect()
    lan[2].stop()
    lan[2].start()
    again = lan.resolve(client, lan[1], b"server")
    reply = client.port()
    client.send(header(again, reply, COPY_SEND, MAKE_SEND_ONCE, ident=5))
    assert receive(lan, server, port).ident == 5
    lan.run(5 * SECOND)
    client.send(header(again, ident=6))
    assert receive(lan, server, port).ident == 6


def test_node_that_goes_down_says_so(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, *_ = lan.connect()
    caller = lan[2].actor()
    gns = lan[2].lookup_port(caller)
    host = lan[2].rig.host_privileged(caller)
    reply = caller.port()

    def node_down(proof: int) -> int:
        body, _ = caller.request_body(0x4302, Give(proof, COPY_SEND), 1)
        caller.send(header(gns, reply, COPY_SEND, MAKE_SEND_ONCE, 0x4302, 32 + len(body), complex_=True) + body)
        return receive(lan, caller, reply).code

    assert node_down(lan[2].rig.name_of(caller, caller.task)) == 8  # KERN_NO_ACCESS
    lan.run(20 * MS)
    assert client.space.lookup(proxy).kind != DEAD_NAME
    assert node_down(host) == 0
    lan.run(2 * MS)
    assert client.space.lookup(proxy).kind == DEAD_NAME
    reply = client.lookup(lan[1], b"server")
    lan.run(3 * SECOND)
    assert client.answer(reply)[0] == 1


def test_dead_right_given_as_a_gift_arrives_dead(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    gift = client.port()
    name = client.space.insert(client.space.take(gift, MAKE_SEND))
    client.space.change_references(gift, Right.RECEIVE, -1)
    client.send(message(proxy, port_item(name, COPY_SEND)))
    assert receive(lan, server, port).word(8) == DEAD
