"""A counting proxy for the demo: every request that reaches the tenant, seen from outside of the server."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

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


class Forward(BaseHTTPRequestHandler):
    """Forwards one request, and notes it."""

    protocol_version = "HTTP/1.1"

    def forward(self) -> None:
        """Send the request on, and its answer back."""
        listener = cast("Listener", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = HTTPConnection("127.0.0.1", listener.upstream, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        listener.proxy.seen.append(Seen(self.command, self.path, body, answer.status))
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


class Listener(ThreadingHTTPServer):
    """Listens on a free loopback port for what goes on to another one."""

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), Forward)
        self.upstream = upstream
        self.proxy = Proxy(self.server_address[1])


@contextmanager
def counting(upstream: int) -> Generator[Proxy]:
    """Forward everything on a free loopback port to another loopback port, and keep a list of it."""
    listener = Listener(upstream)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener.proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
