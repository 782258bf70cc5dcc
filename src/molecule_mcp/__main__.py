"""`molecule-mcp`, and `python -m molecule_mcp`."""

import sys

from molecule_mcp.cli import main

if __name__ == "__main__":
    sys.exit(main())
