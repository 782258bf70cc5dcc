"""`molecule-mcp policy explain TOOL [JSON]`: which rule decides about a call, and what a person would be asked.

Nothing is read from the tenant: what a live fact may raise is told as such.
"""

import json
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from molecule_mcp import arguments as strict
from molecule_mcp import tools, toolsets
from molecule_mcp.capability import Risk
from molecule_mcp.cli.call import object_in
from molecule_mcp.cli.profile import InForce, in_force, offered
from molecule_mcp.cli.usage import rising
from molecule_mcp.gate import policy
from molecule_mcp.gate.ahead import Ahead, matching
from molecule_mcp.prepared import Entry, entries

ASKED = {
    Risk.CRITICAL: "a person types a phrase under a shown preview: in the client's form, else with molecule-mcp allow",
    Risk.DESTROY: "a person says yes to a shown preview: in the client's form, else with molecule-mcp allow",
}
OUTSIDE = "a person types a phrase under a shown preview, with molecule-mcp allow and no other way (confirm = strict)"


def run(arguments: Namespace) -> int:
    """Explain. Returns: 1 when the call would be refused.

    Raises: ArgumentError for an unknown tool, or arguments that it does not take.
    """
    found = in_force(arguments)
    if arguments.tool not in entries():
        raise toolsets.missing(arguments.tool, entries(), entries())
    given = None if arguments.arguments is None else object_in(arguments.arguments)
    told = explained(found, entries()[arguments.tool], given)
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        for name, value in told.items():
            print(f"{name:9} {value}")
    return 1 if told["decision"] == "refused" else 0


def explained(found: InForce, entry: Entry, given: Mapping[str, Any] | None) -> dict[str, str]:
    """The decision, the rule behind it, and what is asked.

    Args:
        given: The arguments of one call; None: whatever they are.
    Raises: ArgumentError when the tool does not take them.
    """
    profile, name = found.profile, entry.ability.name
    capability = tools.family(entry.family)[name]
    told = {"tool": name, "profile": f"{profile.name}, {profile.role}"}
    why = None if name in offered(found.settings, toolsets.ALL) else "no toolset or tool that was asked for offers it"
    why = why or policy.refusal(profile, entry.ability)
    risk, covered = capability.risk, None
    if capability.combines and why is None:
        each = "each call in it is decided as it would be alone, and the highest risk is what is asked about"
        return {**told, "decision": "allowed", "rule": each}
    if given is not None and why is None:
        _, checked = strict.taken(capability, given)
        covered = matching(profile.ahead, name, checked, time.time())
        risk = capability.raised(checked)
        touched = policy.workspaces_in(checked, strict.workspace_parameters(capability.function))
        why = policy.misfit(profile, entry.ability, risk, touched)
    if why is not None:
        return {**told, "decision": "refused", "rule": why}
    asked = profile.asks(risk)
    ahead = asked and covered is not None and not (risk is Risk.CRITICAL and profile.strict)
    return {
        **told,
        "decision": "allowed (preauth)" if ahead else "asked" if asked else "allowed",
        "rule": rule(profile, risk) + ("; a preauth covers exactly this call" if ahead else ""),
        "risk": "; ".join([risk.label, *rising(capability, risk, given)]),
        "asks": asks(profile, risk, covered) if asked else "nobody",
        "bound": bound(profile, entry, given),
    }


def rule(profile: policy.Profile, risk: Risk) -> str:
    """The rule that a call which is not refused comes under."""
    if risk is Risk.READ:
        return "it only reads"
    limit = min(profile.ask_from, Risk.DESTROY).label
    return f"risk {risk.label} is {'at or above' if profile.asks(risk) else 'below'} ask_from = {limit}"


def asks(profile: policy.Profile, risk: Risk, covered: Ahead | None) -> str:
    """Who has to do what."""
    if risk is Risk.CRITICAL and profile.strict:
        return OUTSIDE
    person = ASKED.get(risk, ASKED[Risk.DESTROY])
    if profile.two_step and risk < Risk.CRITICAL:
        person += "; where the client has no form, NOBODY: the same call again allows it (unattended = two-step)"
    if covered is None:
        return person
    return f"nobody for {covered.max_uses} uses, as a preauth says, if they are not used up; then {person}"


def bound(profile: policy.Profile, entry: Entry, given: Mapping[str, Any] | None) -> str:
    """What the binding of a profile means for a tool."""
    if profile.bound is None:
        return "any workspace"
    if entry.ability.risk is Risk.READ:
        return f"answers of the {len(profile.bound)} workspaces of this profile only"
    reach = "" if given is None else "; those that a preview finds it would reach, too"
    return f"every workspace id must be one of the {len(profile.bound)} of this profile{reach}"
