"""An endpoint that answers after delays that are known."""

import heapq
import selectors
import socket
import threading
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%b"
EMPTY = HEAD % (2, b"{}")
TABLE = HEAD % (12, b'{"Table":{}}')


class Fake:
    """Answers every GetItem with `{}`, after `delay()` seconds, and everything else at once.

    One thread, which holds answers back and never works. `given` has the times from the last byte of
    each request to the answer, as this process took them: what the rig has to find.
    """

    def __init__(self, delay):
        self.delay = delay
        self.given = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.ended = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        selector = selectors.DefaultSelector()
        self.listener.setblocking(False)
        selector.register(self.listener, selectors.EVENT_READ)
        due = []
        bytes_of = {}
        turn = 0
        while not self.ended:
            wait = max(0.0, due[0][0] - time.monotonic()) if due else 0.1
            for key, _ in selector.select(min(wait, 0.1)):
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    connection.setblocking(False)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(connection, selectors.EVENT_READ)
                    bytes_of[connection] = b""
                    continue
                connection = key.fileobj
                try:
                    received = connection.recv(65536)
                except ConnectionError:
                    received = b""
                if not received:
                    selector.unregister(connection)
                    connection.close()
                    continue
                came = time.monotonic()
                bytes_of[connection] += received
                if is_whole(bytes_of[connection]):
                    delayed = b".GetItem\r\n" in bytes_of[connection]
                    bytes_of[connection] = b""
                    if delayed:
                        turn += 1
                        heapq.heappush(due, (came + self.delay(), turn, came, connection))
                    else:
                        connection.sendall(TABLE)
            while due and due[0][0] <= time.monotonic():
                _, _, came, connection = heapq.heappop(due)
                self.given.append(time.monotonic() - came)
                try:
                    connection.sendall(EMPTY)
                except OSError:
                    pass

    def stop(self):
        self.ended = True
        self.thread.join()


def is_whole(request):
    head, separator, body = request.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return True
