"""What is in force: the profile that was named, narrowed by the environment and the flags, and the key it brings.

Nothing widens a profile: a setting that asks for more than it allows stops the start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.gate.policy import ROLES, Profile
from molecule_mcp.prepared import Entry
from molecule_mcp.profiles import credentials, files, forms
from molecule_mcp.profiles.forms import Written
from molecule_mcp.profiles.preauths import ahead
from molecule_mcp.redaction import Redactor
from molecule_mcp.settings import ORG_ID, PROFILE, TOKEN, URL, Settings
from molecule_mcp.settings.tenant import origin

DEFAULT = Settings.profile
"""The profile of who names none; without a file it is an ORG-ADMIN with every gate on."""


@dataclass(frozen=True)
class Chosen:
    """The profile that was named, and the file it stands in."""

    path: Path
    written: Written


def chosen(path: Path | None, name: str, entries: Mapping[str, Entry], now: float) -> Chosen | None:
    """The profile of that name; None when there is no file and nothing else than the usual profile was named.

    Raises: ConfigurationError for a broken file, or a profile that is not in it, has expired, or is not resolved.
    """
    if path is None:
        if name == DEFAULT:
            return None
        raise ConfigurationError(
            f"There is no policy file, so there is no profile {name[:64]!a}.",
            advice=f"Write one (docs/profiles.md), or do not name a profile (--profile, {PROFILE}).",
        )
    known = forms.profiles(files.read(path), str(path), entries, now)
    if name not in known:
        raise ConfigurationError(
            f"The policy file {path} has no profile {name[:64]!a}.",
            advice=f"Name one of its profiles with --profile or {PROFILE}: {', '.join(known)}",
        )
    written = known[name]
    if now >= written.expires:
        raise ConfigurationError(
            f"Profile {name!r} of {path} has expired.", advice="Set a later `expires`, if it is still wanted."
        )
    if written.workspaces == frozenset():
        raise ConfigurationError(
            f"Profile {name!r} of {path} names roots, and no workspaces yet.",
            advice=f"Run: molecule-mcp policy refresh --profile {name}",
        )
    return Chosen(path, written)


def completed(written: Written, environ: Mapping[str, str], secrets: Path, redactor: Redactor | None) -> dict[str, str]:
    """The environment with the tenant that a profile brings.

    Args:
        secrets: The folder that tools' references read; no key is taken from there.
        redactor: Learns the key; None: the key is not fetched, and a profile with one then names no tenant here.
    Raises: ConfigurationError when the environment names another tenant or a second key, or there is no key.
    """
    given = dict(environ)
    if written.origin is not None:
        if URL in given and origin(given[URL]) != written.origin:
            raise ConfigurationError(
                f"{URL} is not the origin of profile {written.name!r}; its key goes to no other.",
                advice=f"Set {URL} to {written.origin}, or remove it.",
            )
        given[URL] = written.origin
    where = written.credential
    if where is None:
        return given
    if TOKEN in given and (where.kind, where.name) != ("env", TOKEN):
        raise ConfigurationError(
            f"Two keys: {TOKEN}, and the credential of profile {written.name!r}.", advice="Remove one of them."
        )
    if where.kind == "file" and Path(where.name).expanduser().resolve().is_relative_to(secrets.resolve()):
        raise ConfigurationError(
            f"The credential of profile {written.name!r} lies in {secrets}, from where tools pass secrets on.",
            advice="Keep the key elsewhere.",
        )
    if redactor is None:
        return {name: value for name, value in given.items() if name not in {URL, TOKEN, ORG_ID}}
    return {**given, TOKEN: credentials.key(where, environ, redactor)}


def in_force(written: Written | None, settings: Settings, entries: Mapping[str, Entry]) -> Profile:
    """What policy reads: the profile, narrowed by what the environment and the flags say.

    Raises: ConfigurationError when they ask for more than the profile allows, or it allows beforehand what it refuses.
    """
    role = "READ" if settings.read_only else settings.role
    if written is None:
        return Profile(settings.profile).narrowed(role, settings.workspaces)
    refuse_wider(written, settings)
    return effective(written, entries).narrowed(role, settings.workspaces)


def effective(written: Written, entries: Mapping[str, Entry]) -> Profile:
    """A profile as policy reads it, under no overlay.

    Raises: ConfigurationError for a pre-authorisation that means no exact call, or one the profile itself refuses.
    """
    profile = Profile(
        name=written.name,
        role=written.role,
        bound=written.workspaces,
        allow=written.allow,
        deny=written.deny,
        ask_from=written.ask_from,
        strict=written.strict,
        expires=written.expires,
        two_step=written.two_step,
        workspace_token=bool(written.credential and written.credential.workspace_token),
    )
    allowed = [
        ahead(
            each.tool,
            each.arguments,
            each.max_uses,
            each.expires.timestamp(),
            place=f"profile.{written.name}.preauth.{position}",
            profile=profile,
            entries=entries,
        )
        for position, each in enumerate(written.preauth)
        if written.workspaces != frozenset()  # before its roots are resolved it starts nothing
    ]
    return replace(profile, ahead=tuple(allowed))


def refuse_wider(written: Written, settings: Settings) -> None:
    """Raises: ConfigurationError when a setting asks for more than a profile allows, or for another tenant."""
    more = ""
    if settings.role and ROLES.index(settings.role) > ROLES.index(written.role):
        more = f"the role {settings.role}"
    elif written.workspaces is not None and not (settings.workspaces or frozenset()) <= written.workspaces:
        more = "a workspace"
    if more:
        raise ConfigurationError(
            f"A flag or variable asks for {more}, which profile {written.name!r} does not allow; they only tighten.",
            advice="Narrow --role or --workspace (MOLECULE_MCP_ROLE, MOLECULE_MCP_WORKSPACES), or have the policy "
            "file changed.",
        )
