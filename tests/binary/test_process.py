"""The process: its options, how it starts, what it says, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from stator import Stator, binary
from tables import create, simple


def run(*arguments, cwd=None):
    """A command that ends by itself."""
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, cwd=cwd)


def refusal(*arguments, cwd=None):
    """The one sentence with which a start is refused."""
    done = run(*arguments, cwd=cwd)
    assert done.returncode == 1, done
    assert re.fullmatch(r"stator: [^\n]+\.\n", done.stderr), done.stderr
    return done.stderr


def test_version_and_help():
    for flag in ("--version", "-version", "-V"):
        assert re.fullmatch(r"stator \d+\.\d+\.\d+\S*\n", run(flag).stdout)
    for arguments in (["--help"], ["-help"], ["serve", "--help"]):
        text = run(*arguments).stdout
        for option in ("--port", "--host", "--dir", "--in-memory", "--durability", "--region"):
            assert option in text
    done = run("--frobnicate")
    assert done.returncode == 2 and "--frobnicate" in done.stderr


def test_the_banner_says_where_what_and_one_line_to_try(tmp_path):
    server = Stator(tmp_path / "data").spawn()
    lines = [server.process.stdout.readline() for _ in range(5)]
    server.kill()
    banner = "".join(lines)
    assert re.search(r"endpoint +http://127\.0\.0\.1:\d+\n", banner), banner
    assert re.search(rf"directory +{re.escape(str(tmp_path / 'data'))}\n", banner), banner
    assert re.search(r"durability +sync", banner), banner
    assert re.search(r"try .*aws dynamodb list-tables.*--endpoint-url http://", banner), banner


def test_dynamodb_locals_command_line_runs_unchanged(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "db").mkdir()
    line = ["-sharedDb", "-dbPath", "./db", "-port", str(port), "-cors", "*", "-disableTelemetry"]
    process = subprocess.Popen([binary(), *line], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        banner = process.stdout.readline() + process.stdout.readline()
        assert f"http://127.0.0.1:{port}\n" in banner
        for address in ("127.0.0.1", "localhost"):
            with socket.create_connection((address, port)):
                pass
    finally:
        process.terminate()
        assert process.wait() == 0
        process.stdout.close()
    assert any((tmp_path / "db").iterdir()), "the data is where -dbPath says"
    done = run("-inMemory", "-dbPath", "x")
    assert done.returncode == 2 and "cannot be used with" in done.stderr


def test_a_port_that_is_taken_is_named(server, tmp_path):
    message = refusal("--port", str(server.port), "--dir", str(tmp_path / "other"))
    assert f"127.0.0.1:{server.port} is in use" in message
    assert not (tmp_path / "other").exists(), "nothing is made before it is sure to be used"


def test_a_directory_belongs_to_one_process(server, tmp_path):
    message = refusal("--port", "0", "--dir", str(server.directory))
    assert str(server.directory) in message
    assert re.search("process|lock", message, re.IGNORECASE), message
    server.client().list_tables()
    server.kill()
    assert Stator(server.directory).start().stop() == 0, "the lock goes with the process"


@pytest.mark.parametrize(
    "directory, reason",
    [
        ("/nowhere/at/all/data", "nothing at '/nowhere/at/all'"),
        ("/etc/hostname", "is not a directory"),
        ("/proc/data", "can't be made"),
    ],
)
def test_a_directory_that_can_not_be_used_is_named(directory, reason):
    message = refusal("--port", "0", "--dir", directory)
    assert directory in message and reason in message


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_directory_without_permission_is_named(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert str(closed) in refusal("--port", "0", "--dir", str(closed))


def test_foreign_files_in_the_directory_are_no_database(tmp_path):
    (tmp_path / "CURRENT").write_text("this is nobody's manifest\n")
    message = refusal("--port", "0", "--dir", str(tmp_path))
    assert "CURRENT" in message or str(tmp_path) in message


def test_listening_beyond_this_machine_says_what_it_means(tmp_path):
    server = Stator(tmp_path / "data", "--host", "0.0.0.0").spawn()
    banner = "".join(server.process.stdout.readline() for _ in range(6))
    server.kill()
    assert "whoever can reach this port can read and change every table" in banner


def test_without_a_host_nobody_else_can_connect(server):
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), server.port)}
    for address in addresses - {"127.0.0.1", "127.0.1.1", "::1"}:
        with pytest.raises(OSError), socket.create_connection((address, server.port)):
            pass


def test_nothing_is_left_of_what_was_in_memory(start):
    server = start("--in-memory")
    create(server.client(), simple("fleeting"))
    assert server.stop() == 0
    assert not server.directory.exists()
    assert server.start().client().list_tables()["TableNames"] == []


@pytest.mark.parametrize("options", [[], ["--durability", "interval:50"]])
def test_a_clean_stop_keeps_everything(start, options):
    server = start(*options)
    client = server.client()
    create(client, simple("kept"))
    client.put_item(TableName="kept", Item={"pk": {"S": "a"}})
    server.restart()
    assert server.client().scan(TableName="kept")["Items"] == [{"pk": {"S": "a"}}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_is_in_flight(server, number):
    """Requests are sent without pause; each is either answered or never begun."""
    client = server.client()
    create(client, simple("busy"))
    answered, began = [], threading.Event()

    def write(writer):
        connection = server.client()
        try:
            for sequence in range(1_000_000):
                key = f"{writer}-{sequence}"
                connection.put_item(TableName="busy", Item={"pk": {"S": key}})
                answered.append(key)
                began.set()
        except Exception:  # noqa: BLE001 (the server is gone)
            pass

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    began.wait()
    server.process.send_signal(number)
    assert server._gone() == 0
    for writer in writers:
        writer.join()
    kept = server.start().client().get_paginator("scan").paginate(TableName="busy")
    kept = {item["pk"]["S"] for page in kept for item in page["Items"]}
    assert set(answered) <= kept


def test_a_half_sent_request_holds_up_a_stop_only_until_a_second_signal(server):
    with socket.create_connection(("127.0.0.1", server.port)) as half:
        half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        server.client().list_tables()  # the server has read the half by now, or soon
        server.process.send_signal(signal.SIGTERM)
        while True:  # until the first one has been taken note of, which closes the port
            try:
                socket.create_connection(("127.0.0.1", server.port)).close()
            except (ConnectionRefusedError, ConnectionResetError):
                break  # closed, or closed while this connection waited to be accepted
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGTERM)
            assert server._gone() in (0, 128 + signal.SIGTERM)


def test_an_idle_server_takes_less_than_twenty_megabytes(server):
    create(server.client(), simple("idle"))
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("only Linux says how much memory a process has")
    kilobytes = int(re.search(r"VmRSS:\s+(\d+) kB", status.read_text()).group(1))
    print(f"resident: {kilobytes} kB")
    assert kilobytes < 20 * 1024
