"""A counting proxy for the demo: every request that reaches the tenant, seen from outside of the server."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass(frozen=True)
class Seen:
    """One request as it passed."""

    method: str
    path: str
    body: bytes
    status: int

    @property
    def line(self) -> str:
        """Method and path with query."""
        return f"{self.method} {self.path}"

    @property
    def changing(self) -> bool:
        """Whether it can change the tenant."""
        return self.method not in {"GET", "HEAD"} or self.path == "/approvals/pending"


@dataclass
class Proxy:
    """Where the proxy listens, and what passed through it."""

    port: int
    seen: list[Seen] = field(default_factory=list[Seen])

    @property
    def changes(self) -> list[str]:
        """The changing requests, in order."""
        return [seen.line for seen in self.seen if seen.changing]


@contextmanager
def counting(upstream: int) -> Generator[Proxy]:
    """Forward everything on a free loopback port to another loopback port, and keep a list of it."""
    proxy = Proxy(0)

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = HTTPConnection("127.0.0.1", upstream, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            proxy.seen.append(Seen(self.command, self.path, body, answer.status))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = forward  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base class
            """Say nothing: the demo prints what passed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
    server.daemon_threads = True
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
