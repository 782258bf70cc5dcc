"""The embedded tenant: one Molecule organization in this process, over SQLite, answering as the contract says.

It stands in for a real tenant in tests, demos and when no tenant is configured. It shares nothing with the client
side. Containers, agents and outside services are simulated: nothing is ever started, messaged or fetched.
"""

from molecule_mcp.embedded.app import App, build
from molecule_mcp.embedded.options import Options
from molecule_mcp.embedded.server import serve

__all__ = ["App", "Options", "build", "serve"]
