"""The templates of the sample."""

from tests.embedded.support import Desk


async def test_there_are_templates_of_both_kinds_and_the_cases_that_mislead(sample: Desk) -> None:
    assert len(await sample.json("/templates")) == 4
    listed = {row["dir"] for row in await sample.json("/org/templates")}
    assert listed == {"free-beats-all", "old-style", "support-desk"}
    assert sample.cell("SELECT count(*) FROM folders WHERE folder = 'broken'") == 1
