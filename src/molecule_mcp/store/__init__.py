"""What must survive the process: plans, grants, calls, and the keyed chain over them."""
