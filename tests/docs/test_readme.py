"""What README shows is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from machemu.image.disk_image import build_image, read_image
from machemu.testing.runs import BUILT, Run, run_lan
from tests.support.programs import compile_c

README: Final = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_readers_own_server_and_client_on_two_nodes(tmp_path: Path, machemu_runs: list[Run]) -> None:
    server, client = blocks("c")
    assert max(len(server.splitlines()), len(client.splitlines())) <= 20
    (tmp_path / "server").write_bytes(compile_c(server, "server"))
    (tmp_path / "client").write_bytes(compile_c(client, "client"))
    first, entry = blocks("toml")
    second = first.replace("node = 1", "node = 2").replace('name = "a"', 'name = "b"')
    second = second[:second.rindex("[[boot]]")] + entry
    images = []
    for name, text in (("a", first), ("b", second)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        build_image(tmp_path / f"{name}.toml", BUILT / "programs", tmp_path / f"{name}.img")
        images.append(read_image(tmp_path / f"{name}.img"))
    run = run_lan(images)
    machemu_runs.append(run)
    assert run.go().failures == []
    shown = "\n".join(blocks("console"))
    for node in ("a", "b"):
        for line in run.console(node).splitlines():
            assert f"{node} | {line}" in shown


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((docs/[^)]+)\)", README))))
def test_linked_page_exists(path: str) -> None:
    assert (Path(__file__).resolve().parents[2] / path).is_file()


@pytest.mark.parametrize("folder", re.findall(r"`((?:machemu/|servers|images|tests)[\w/]*)`", README))
def test_named_folder_exists(folder: str) -> None:
    assert (Path(__file__).resolve().parents[2] / folder).exists()
