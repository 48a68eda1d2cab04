"""`stator bench` over TLS: to whom the file of authorities vouches for, and to nobody else."""

import http.server
import os
import ssl
import subprocess
import threading

import pytest

from stator import binary
from test_bench import ENVIRONMENT


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        # Longer than a record of TLS, and in pieces.
        body = b'{"Table":{},"Item":{"a":{"S":"' + b"x" * 40_000 + b'"}}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 7000):
            piece = body[start : start + 7000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path):
    """An authority, and a certificate of its for `localhost`."""
    openssl(
        tmp_path,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem"),
        *("-subj", "/CN=authority", "-days", "2"),
    )
    openssl(
        tmp_path,
        *("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "csr.pem"),
        *("-subj", "/CN=localhost"),
    )
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(
        tmp_path,
        *("x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"),
        *("-CAcreateserial", "-extfile", "names", "-out", "cert.pem"),
    )
    return tmp_path


def test_https_is_spoken_with_those_who_are_trusted(certificates):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [
        *(binary(), "bench", "--endpoint", f"https://localhost:{server.server_port}"),
        *("--no-load", "--workload", "c", "--closed", "--operations", "300", "--connections", "4"),
        *("--region", "eu-central-1"),
    ]
    trusted = dict(ENVIRONMENT, AWS_CA_BUNDLE=str(certificates / "ca.pem"))
    run = subprocess.run(command, env=trusted, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "300 in " in run.stdout and "error" not in run.stdout, run.stdout
    # The system does not know that authority, or knows nobody.
    strange = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    run = subprocess.run(command, env=strange, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1, run.stdout
    server.shutdown()
