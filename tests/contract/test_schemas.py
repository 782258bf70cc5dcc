"""A few generated requests to each operation of the embedded tenant; `make schemathesis` sends many."""

import pytest
from tests.contract.schemas import served, tried


def test_no_answer_strays_from_the_contract() -> None:
    lines: list[str] = []
    tried(contract := served(), 2, "fuzzing", lines.append)
    assert f"Tested: {sum(map(len, contract['paths'].values()))}\n" in lines[0]


def test_an_answer_that_the_contract_does_not_name_is_found() -> None:
    contract = served()
    health = contract["paths"]["/health"]
    health["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    with pytest.raises(AssertionError, match="Response violates schema"):
        tried({**contract, "paths": {"/health": health}}, 1, "fuzzing", print)
