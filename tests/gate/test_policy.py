"""What a profile may do; any doubt refuses."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.contract.contract import operations

from molecule_mcp.capability import Risk
from molecule_mcp.errors import PolicyRefusal
from molecule_mcp.gate.policy import (
    ROLES,
    Ability,
    Profile,
    changing,
    check,
    refusal,
    within,
    workspaces_in,
)
from molecule_mcp.tenant import permit
