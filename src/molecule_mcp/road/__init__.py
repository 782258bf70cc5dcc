"""The one way every call takes: arguments, policy, risk, preview, plan, yes, claim, send, outcome, answer.

Knows no tool by name. `calls.Road.call` is re-entrant: it either finishes, or returns `traffic.Asked` with the plan
that a person has to answer, and is called again with that answer. This module imports nothing, so that the server can
name the traffic without loading the road before the first call.
"""
