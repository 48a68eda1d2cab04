"""A disk that is full, and one that fails, under the real binary: real file systems, made for the test.

Mounting takes root; where it is not permitted these tests are skipped, and say so.

*Full*: a file system in memory of 96 MB, which fills up while the server is written to. Writes are
refused with an error that says why, reads go on, and writes are taken again by themselves once there is
room.

*Failing*: an ext4 file system on a loop device whose own storage, a file in memory, has no room for all
that the file system believes it has. What is written to the device then fails, although by its own
account the disk is nearly empty, and what was only in the page cache is lost as on a broken disk. Nothing more is acknowledged, reads go on; and when the disk is mended, everything that was
acknowledged is there.

*Gone*: an ext4 file system that is shut down under the server, as if its cable had been pulled: every
operation fails with EIO, and what was not synced never arrives. Mounted again, it has everything that
was acknowledged.
"""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import threading

import pytest
from botocore.exceptions import ClientError
from tables import create, simple

PAYLOAD = os.urandom(60_000)


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


@contextlib.contextmanager
def mounted(folder, *command):
    """Mounts, and takes the mount away at the end; skips the test where that is not permitted."""
    folder.mkdir()
    done = shutil.which("mount") and subprocess.run(
        ["mount", *command, str(folder)], capture_output=True, text=True
    )
    if not done or done.returncode != 0:
        why = done.stderr.strip() if done else "there is no mount"
        pytest.skip(f"a file system can't be mounted here: {why}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class Items:
    """Items that were acknowledged, each with a value that is derived from its number."""

    def __init__(self, client, acknowledged=0):
        self.client = client
        self.acknowledged = acknowledged

    def put(self):
        number = self.acknowledged
        item = {"pk": {"S": f"item {number}"}, "payload": {"B": PAYLOAD}, "n": {"N": str(number)}}
        self.client.put_item(TableName="Disk", Item=item)
        self.acknowledged += 1

    def fill(self, most):
        """Puts until a put is refused, and returns the error."""
        for _ in range(most):
            try:
                self.put()
            except ClientError as error:
                code = error.response["Error"]["Code"]
                # Throttled: the disk is slower than the test. That passes.
                if code != "ProvisionedThroughputExceededException":
                    return error
        raise AssertionError(f"{most} puts and the disk is not full")

    def check(self, client=None):
        client = client or self.client
        for number in range(self.acknowledged):
            key = {"pk": {"S": f"item {number}"}}
            item = client.get_item(TableName="Disk", Key=key, ConsistentRead=True)["Item"]
            assert item["n"] == {"N": str(number)}
            assert item["payload"]["B"] == PAYLOAD


def test_a_disk_that_is_well_refuses_nothing(server):
    """What the other tests do to their disks is what makes the difference."""
    create(server.client(), simple("Disk"))
    items = Items(server.client())
    for _ in range(300):
        items.put()
    server.kill()
    items.check(server.start().client())


def test_a_full_disk_refuses_writes_until_there_is_room(tmp_path, start):
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=96m", "tmpfs") as small:
        ballast = small / "ballast"
        ballast.write_bytes(bytes(48 << 20))
        server = start(directory=small / "data")
        client = server.client()
        create(client, simple("Disk"))
        items = Items(client)
        error = items.fill(2_000)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        said = error.response["Error"]["Message"]
        assert said.startswith("Stator accepts no writes: "), said
        assert "disk" in said, said
        assert items.acknowledged > 0
        items.check()
        with pytest.raises(ClientError):
            items.put()
        # Room again: nothing else is done, and no time is given that it has to happen in.
        ballast.unlink()
        before = items.acknowledged
        for _ in range(1_000_000):
            with contextlib.suppress(ClientError):
                items.put()
                break
        assert items.acknowledged == before + 1
        for _ in range(20):
            items.put()
        items.check()
        server.kill()
        items.check(server.start().client())
        server.kill()


@contextlib.contextmanager
def image_on(tmp_path, size, *options):
    """An image of an ext4 file system of 512 MB, in a folder that has room for `size`."""
    with mounted(tmp_path / "storage", "-t", "tmpfs", "-o", f"size={size}", "tmpfs") as storage:
        image = storage / "image"
        with open(image, "wb") as file:
            file.truncate(512 << 20)
        try:
            run("mkfs.ext4", "-q", "-E", "lazy_itable_init=1", *options, str(image))
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"an ext4 file system can't be made here: {error}")
        yield image


@contextlib.contextmanager
def failing(tmp_path, size):
    """A file system that believes it has more room than its storage, and that storage's folder."""
    with image_on(tmp_path, size, "-O", "^has_journal") as image:
        with mounted(tmp_path / "disk", "-o", "loop,errors=continue", str(image)) as disk:
            yield disk, image.parent


def test_a_failing_disk_ends_writes_and_loses_nothing(tmp_path, start):
    with failing(tmp_path, "160m") as (disk, storage):
        server = start(directory=disk / "data")
        client = server.client()
        create(client, simple("Disk"))
        items = Items(client)
        for _ in range(100):
            items.put()
        # From here on the storage has no room for anything new.
        with open(storage / "rest", "wb") as rest, contextlib.suppress(OSError):
            while rest.write(bytes(1 << 16)):
                rest.flush()
        error = items.fill(5_000)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        said = error.response["Error"]["Message"]
        assert said.startswith("Stator accepts no writes: "), said
        # It stays so, whoever asks, and nobody waits for ever.
        refused = []

        def write():
            # An item that is not there yet: to put one again that is there writes nothing.
            try:
                Items(client, items.acknowledged).put()
            except ClientError:
                refused.append(True)

        writers = [threading.Thread(target=write) for _ in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(refused) == 8
        items.check()
        server.kill()
        # Mended: a restart finds everything that was acknowledged.
        (storage / "rest").unlink()
        server.start()
        items.check(server.client())
        items.client = server.client()
        items.put()
        server.kill()


# EXT4_IOC_SHUTDOWN, and its flag that what the journal holds in memory is lost as well (linux/ext4.h).
SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, struct.pack("I", 2)


def test_a_disk_that_is_gone_has_everything_that_was_acknowledged(tmp_path, start):
    with image_on(tmp_path, "600m") as image:
        with mounted(tmp_path / "disk", "-o", "loop", str(image)) as disk:
            server = start(directory=disk / "data")
            client = server.client()
            create(client, simple("Disk"))
            items = Items(client)
            for _ in range(300):
                items.put()
            root = os.open(disk, os.O_RDONLY)
            fcntl.ioctl(root, SHUTDOWN, WITHOUT_FLUSH)
            os.close(root)
            error = items.fill(10)
            said = error.response["Error"]["Message"]
            assert said.startswith("Stator accepts no writes: "), said
            assert "Input/output error" in said, said
            # What is in memory is still read.
            key = {"pk": {"S": f"item {items.acknowledged - 1}"}}
            assert "Item" in client.get_item(TableName="Disk", Key=key)
            server.kill()
        with mounted(tmp_path / "again", "-o", "loop", str(image)) as disk:
            server = start(directory=disk / "data")
            items.check(server.client())
            items.client = server.client()
            items.put()
            server.kill()
