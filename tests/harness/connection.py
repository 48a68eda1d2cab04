"""Requests byte by byte, for what no client would send."""

import json
import socket
import zlib

SIGNED = (
    "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0\r\nX-Amz-Date: 20260101T000000Z\r\n"
)


class Connection:
    """A connection that sends exactly the bytes it is given."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def whole_answer(self):
        """Status, headers by their names in lower case, and body of the next answer, as sent."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        body = self.file.read(int(headers.get("content-length", 0)))
        if body and "x-amz-crc32" in headers:
            assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
        assert len(headers.get("x-amzn-requestid", "")) in (0, 52)
        return status, headers, body

    def answer(self):
        """Status and body of the next answer; the body as JSON where it is that."""
        status, _, body = self.whole_answer()
        try:
            return status, json.loads(body)
        except json.JSONDecodeError:
            return status, body

    def ended(self):
        """Whether the server has closed the connection."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True

    def operation(self, name, body, headers=SIGNED):
        body = body if isinstance(body, bytes) else body.encode()
        self.send(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: DynamoDB_20120810.{name}\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.send(body)
        return self.answer()
