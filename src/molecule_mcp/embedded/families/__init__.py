"""The operations of the contract, one module per family, each with its list of routes."""
