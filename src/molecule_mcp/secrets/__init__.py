"""Secrets that a person lets tools pass on: references come in from the model, values never go out to it."""

from molecule_mcp.secrets.outputs import Outputs
from molecule_mcp.secrets.references import SecretReference, Secrets

__all__ = ["Outputs", "SecretReference", "Secrets"]
