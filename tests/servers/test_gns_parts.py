"""Parts of the network server by themselves: hash tables, rate limits."""

from __future__ import annotations

import ctypes
import random
from pathlib import Path

import pytest

from tests.servers.gns_host.build import load

pytest_plugins = ("tests.servers.gns_host.fixtures",)



@pytest.fixture(scope="module")
def gns(gns_library: Path, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return load(gns_library, tmp_path_factory.mktemp("parts") / "gns.so")


class Link(ctypes.Structure):
    _fields_ = [("next", ctypes.c_void_p), ("high", ctypes.c_uint64), ("low", ctypes.c_uint64)]


class Table(ctypes.Structure):
    _fields_ = [("few", ctypes.c_void_p * 32), ("more", ctypes.c_void_p), ("size", ctypes.c_uint),
                ("count", ctypes.c_uint)]


@pytest.mark.parametrize("seed", range(4))
def test_table_holds_what_a_dictionary_holds(gns: ctypes.CDLL, seed: int) -> None:
    gns.table_find.restype = gns.table_next.restype = ctypes.c_void_p
    chance, table, links = random.Random(seed), Table(), {}
    for step in range(3000):
        key = chance.randrange(3), chance.randrange(600) << chance.choice((0, 8, 48))
        found = gns.table_find(ctypes.byref(table), *map(ctypes.c_uint64, key))
        assert found == (ctypes.addressof(links[key]) if key in links else None)
        if key in links and chance.random() < 0.4:
            gns.table_remove(ctypes.byref(table), ctypes.byref(links.pop(key)))
        elif key not in links:
            links[key] = Link()
            gns.table_add(ctypes.byref(table), ctypes.byref(links[key]), *map(ctypes.c_uint64, key))
        if step % 500 == 0:
            assert walk(gns, table) == set(links)
    assert table.count == len(links) > 300
    assert table.size > 32


def walk(gns: ctypes.CDLL, table: Table) -> set[tuple[int, int]]:
    found, at = [], None
    while (at := gns.table_next(ctypes.byref(table), ctypes.c_void_p(at))) is not None:
        link = Link.from_address(at)
        found.append((link.high, link.low))
    assert len(set(found)) == len(found)
    return set(found)


class Bucket(ctypes.Structure):
    _fields_ = [("filled", ctypes.c_uint64), ("level", ctypes.c_uint64)]


@pytest.mark.parametrize("apart_ns", [100, 10_000, 1_000_000, 49_999_999])
def test_rate_limit_lets_its_rate_through_however_fast_the_flood(gns: ctypes.CDLL, apart_ns: int) -> None:
    now = ctypes.c_uint64.in_dll(gns, "now")
    now.value, bucket, taken = 10**9, Bucket(), 0
    gns.bucket_take.restype = ctypes.c_bool
    steps = min(50_000, 3 * 10**9 // apart_ns)
    for _ in range(steps):
        taken += gns.bucket_take(ctypes.byref(bucket), 20, 40)
        now.value += apart_ns
    expected = 40 + 20 * steps * apart_ns // 10**9
    assert abs(taken - min(steps, expected)) <= 1
