"""The last check before the network: only the permitted method, origin and path leave, byte for byte.

It is a transport, behind all URL handling of httpx, so neither a tool nor httpx itself can walk around it.
"""

import httpx

from molecule_mcp.errors import PolicyRefusal
from molecule_mcp.tenant import paths
from molecule_mcp.tenant.permit import Request

PERMITTED = "permitted"
"""Name of the request extension that carries what was permitted."""


class Guard(httpx.AsyncBaseTransport):
    """Lets out only what was permitted.

    Raises: PolicyRefusal, with nothing sent.
    """

    def __init__(self, origin: httpx.URL, inner: httpx.AsyncBaseTransport) -> None:
        self._origin = (origin.scheme, origin.raw_host, origin.port)
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        permitted: Request | None = request.extensions.get(PERMITTED)
        url = request.url
        if (
            permitted is None
            or (request.method, url.raw_path) != (permitted.method, permitted.path.encode())
            or permitted.route != f"{request.method} {permitted.template}"
            or (url.scheme, url.raw_host, url.port) != self._origin
            or not paths.match(permitted.template, url.raw_path.split(b"?", 1)[0])
        ):
            raise PolicyRefusal("The final request is not the one that was permitted; nothing was sent.")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
