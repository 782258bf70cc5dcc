"""Budgets and usage."""

from tests.calls.cases.case import Case, has, of, under

CASES = {
    "get_budget": Case(of("books"), says="blocked"),
    "get_token_usage": Case(of("books"), says="total_calls"),
    "set_budget": Case(of("books", limit_cents=9000), at=under("books", "budget"), seen=has(budget_limit=9000)),
}
