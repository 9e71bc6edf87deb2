"""One broker a folder, and what a folder remembers."""

import os
import socket
from itertools import islice
from pathlib import Path

import pytest

from streams.broker import folder, ports
from streams.broker.folder import Folder, FolderBusy
from streams.broker.properties import Ports, rendered, server_properties


def test_a_held_folder_is_refused_until_it_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "RELEASE_SECONDS", 0.0)
    home = Folder(tmp_path / "new" / "data")
    held = folder.lock(home)
    with pytest.raises(FolderBusy, match="starting"):
        folder.lock(home)
    folder.remember(home, 9092, 42)
    with pytest.raises(FolderBusy, match=r"pid 42, 127\.0\.0\.1:9092"):
        folder.lock(home)
    os.close(held)
    os.close(folder.lock(home))


def test_a_folder_remembers_its_port_and_its_cluster(tmp_path: Path) -> None:
    home = Folder(tmp_path)
    assert folder.last_port(home) is None and folder.cluster_id(home) is None
    folder.remember(home, 9093, 1)
    home.formatted.write_text("abc\n")
    assert folder.last_port(home) == 9093 and folder.cluster_id(home) == "abc"


def test_a_cluster_id_is_never_read_as_an_option() -> None:
    ids = {folder.new_cluster_id() for _ in range(500)}
    assert len(ids) == 500 and all(len(one) == 22 and not one.startswith("-") for one in ids)


def test_logs_of_two_runs_are_kept(tmp_path: Path) -> None:
    home = Folder(tmp_path)
    for run in ("first", "second", "third"):
        folder.keep_last_log(home)
        home.log.write_text(run)
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["second", "third"]


def test_a_wanted_port_comes_first_and_a_taken_one_not_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert taken not in set(islice(ports.free_ports(taken), 5))
        with pytest.MonkeyPatch.context() as patch, pytest.raises(ports.PortTaken, match=str(taken)):
            patch.setattr(ports, "RELEASE_SECONDS", 0.0)
            next(ports.only(taken))
    assert next(ports.free_ports(taken)) == taken


def test_the_broker_listens_on_loopback_only_and_creates_no_topic_by_itself() -> None:
    properties = server_properties(Path("/data"), Ports(client=1, controller=2))
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert properties["auto.create.topics.enable"] == "false"


def test_a_backslash_in_a_path_survives_the_properties_file() -> None:
    assert rendered({"log.dirs": "C:\\data"}) == "log.dirs=C:\\\\data\n"
