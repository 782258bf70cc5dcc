"""Where people decide: the local page, and the decision itself, which the page and `molecule-mcp allow` share."""
