"""What a server offers beside tools: resources, prompts, instructions. Data, without MCP and without I/O."""
