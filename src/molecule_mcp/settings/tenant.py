"""The tenant's address and key, as a person may write them."""

import ipaddress
import re
from collections.abc import Mapping

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.settings.words import PLACEHOLDER, given

URL, TOKEN, ORG_ID = "MOLECULE_API_URL", "MOLECULE_ORG_TOKEN", "MOLECULE_ORG_ID"
SHORTEST_TOKEN = 6

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|(?=[^:/]{{1,253}}(?:[:/]|$)){_LABEL}(?:\.{_LABEL})*)"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
)
_USUAL_PORT = {"https": 443, "http": 80}


def tenant(environ: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """Origin, key and organization id of the environment; all None when it names no tenant.

    Raises: ConfigurationError for half of it, or a part that cannot be one.
    """
    url, token, org_id = (given(environ, name) for name in (URL, TOKEN, ORG_ID))
    if url is None and token is None and org_id is None:
        return None, None, None
    missing = [name for name, value in ((URL, url), (TOKEN, token)) if value is None]
    if url is None or token is None:
        present = [name for name in (URL, TOKEN, ORG_ID) if name in environ]
        raise ConfigurationError(
            f"Half a configuration: {' and '.join(present)} without {' and '.join(missing)}.",
            advice=f"Set {' and '.join(missing)} too, or none of them to try the sample organization.",
        )
    return origin(url), _token(token), None if org_id is None else _org_id(org_id)


def origin(url: str, name: str = URL) -> str:
    """The origin of a tenant's URL, in its one normal form.

    Args:
        name: Where it stands, for the error.
    Raises: ConfigurationError.
    """
    # Only ASCII: lower() folds some other letters into it, and an address must be what its reader sees.
    found = _URL.fullmatch(url.lower()) if url.isascii() else None
    if found is None:
        raise _bad_url(name, "it must be https://HOST or https://HOST:PORT, with no user name, path, query or fragment")
    scheme, host, port = found["scheme"], found["host"], int(found["port"] or _USUAL_PORT[found["scheme"]])
    bare = host.strip("[]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        address = None
    bracketed = isinstance(address, ipaddress.IPv6Address)
    if bracketed != host.startswith("[") or not 0 < port < 65536 or PLACEHOLDER.search(bare):
        raise _bad_url(name, "its host or port cannot be a real one")
    if scheme == "http" and not (host == "localhost" if address is None else address.is_loopback):
        raise _bad_url(name, "http:// is only for a tenant on this machine")
    shown = f"[{address}]" if bracketed else host
    return f"{scheme}://{shown}" + ("" if port == _USUAL_PORT[scheme] else f":{port}")


def _bad_url(name: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name} is not the address of a tenant: {reason}.",
        advice=f"Set {name} to scheme and host only, such as https://acme.example.com",
    )


def _token(token: str) -> str:
    if not token.isascii() or any(each.isspace() for each in token):
        raise ConfigurationError(
            f"{TOKEN} holds white space or characters that no key has.",
            advice=f"Set {TOKEN} to the bare key, without 'Bearer' and without quotation marks.",
        )
    if PLACEHOLDER.search(token) or len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"{TOKEN} looks like a placeholder, not like an organization key.",
            advice=f"Make a key on the tenant's page of organization keys and set {TOKEN} to it.",
        )
    return token


def _org_id(org_id: str) -> str:
    if PLACEHOLDER.search(org_id) or not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", org_id):
        raise ConfigurationError(
            f"{ORG_ID} is not an organization id.",
            advice=f"Set {ORG_ID} to the id of a hosted organization; a self-hosted tenant needs none.",
        )
    return org_id
