"""An MCP server that runs a Molecule AI organization with an organization key, behind a person's yes."""

__version__ = "0.1.0"
