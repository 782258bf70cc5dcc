"""The gate's decisions as pure functions: policy, plan, question, answer, grant. No I/O of its own."""
