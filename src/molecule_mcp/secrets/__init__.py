"""Secrets that a person lets tools pass on: references come in from the model, values never go out to it."""

from molecule_mcp.secrets.outputs import Outputs
from molecule_mcp.secrets.references import SecretReference, Secrets
from molecule_mcp.secrets.typed import Purpose, Typed, asked_by

__all__ = ["Outputs", "Purpose", "SecretReference", "Secrets", "Typed", "asked_by"]
