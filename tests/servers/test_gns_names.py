"""Names over the wire: figure 2, asked and answered by real network servers."""

from __future__ import annotations

import pytest

from tests.servers.gns_host.lan import MS, SECOND, MakeLan

pytest_plugins = ("tests.servers.gns_host.fixtures",)


@pytest.mark.req("A-P07")
def test_lookup_gives_a_send_right_on_a_proxy(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, port, _, _ = lan.connect()
    assert client.space.lookup(port).kind == 0x10000
    assert lan.steps == [(1, "res.3"), (2, "res.4"), (2, "res.6"), (1, "res.6a"), (1, "res.7")]
