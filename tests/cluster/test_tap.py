"""Taps: watching and changing what is on the cable."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from machemu.cluster.segment import DELAY_NS, Segment, Tap
from machemu.cluster.tap import Capture, Change, Delay, Drop, Inject, PcapWriter
from tests.cluster.test_segment import ALL, Heard, frame, lan, mac


def run(*taps: Tap, sent: int = 3) -> Heard:
    heard = lan()
    heard.segment.taps.extend(taps)
    for number in range(sent):
        heard.segment.transmit(1, number, frame(mac(2), bytes([number])))
    heard.segment.deliver(DELAY_NS)
    return heard


def payloads(heard: Heard) -> list[int]:
    return [octets[14] for _, _, octets, _ in heard.frames]


def test_capture_changes_nothing() -> None:
    capture = Capture()
    assert payloads(run(capture)) == [0, 1, 2]
    assert [passing.octets[14] for passing in capture.frames] == [0, 1, 2]


def test_drop_swallows_what_it_picks_as_often_as_asked() -> None:
    drop = Drop(lambda passing: passing.octets[14] > 0, count=1)
    heard = run(drop)
    assert payloads(heard) == [0, 2]
    assert [passing.octets[14] for passing in drop.dropped] == [1]
    assert heard.segment.counters.tap_dropped == 1


def test_delay_holds_back() -> None:
    heard = run(Delay(lambda passing: passing.octets[14] == 0, 1_000_000))
    assert [at for _, at, _, _ in heard.frames] == [1_000_000 + DELAY_NS, 1 + DELAY_NS, 2 + DELAY_NS]


def test_changed_frame_arrives_with_a_good_fcs() -> None:
    change = Change(lambda passing: frame(mac(3), b"\x63") if passing.octets[14] == 1 else None)
    heard = run(change)
    assert [(node, octets[14], good) for node, _, octets, good in heard.frames] == [
        (2, 0, True), (3, 0x63, True), (2, 2, True)]
    assert change.changed == 1


def test_injected_frames_follow_the_one_that_provoked_them() -> None:
    inject = Inject(lambda passing: (frame(ALL, b"\x77"),) if passing.octets[14] == 2 else ())
    heard = run(inject)
    assert [(node, octets[14]) for node, _, octets, _ in heard.frames] == [
        (2, 0), (2, 1), (2, 2), (1, 0x77), (2, 0x77), (3, 0x77)]
    assert heard.segment.counters.injected == 1


def test_taps_stand_in_a_row() -> None:
    before, after = Capture(), Capture()
    run(before, Drop(lambda passing: True), after)
    assert (len(before.frames), len(after.frames)) == (3, 0)


def test_tap_cannot_send_into_the_past() -> None:
    heard = run(Delay(lambda passing: True, -1_000))
    assert [at for _, at, _, _ in heard.frames] == [DELAY_NS, 1 + DELAY_NS, 2 + DELAY_NS]


def capture_file() -> bytes:
    stream = io.BytesIO()
    segment = Segment()
    segment.taps.append(PcapWriter(stream))
    segment.transmit(1, 2_000_000_007, frame(ALL, b"hello"))
    segment.transmit(1, 2_000_000_008, frame(mac(2)) + b"long")
    segment.deliver(3_000_000_000)
    return stream.getvalue()


def test_capture_file_has_times_in_ns_and_whole_frames() -> None:
    octets = capture_file()
    assert struct.unpack_from("<IHHiIII", octets) == (0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    assert struct.unpack_from("<IIII", octets, 24) == (2, 7, 60, 60)
    assert octets[40:100] == frame(ALL, b"hello")
    assert struct.unpack_from("<IIII", octets, 100) == (2, 8, 64, 64)
    assert len(octets) == 116 + 64


@pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark here")
def test_tshark_reads_the_capture(tmp_path: Path) -> None:
    path = tmp_path / "run.pcap"
    path.write_bytes(capture_file())
    command = ["tshark", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "eth.type", "-e", "frame.len"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    assert listed[0].split("\t") == ["2.000000007", "0x88b5", "60"]
