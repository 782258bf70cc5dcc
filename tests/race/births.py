"""A child born between a person's yes and the last delete: what was not shown does not go, nor what stands above it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from tests.calls import harness
from tests.calls.harness import Person, called, client
from tests.race.place import Place, sign, state_folder

WAYS = ("form 2026-07-28", "form legacy", "signed 2026-07-28", "signed legacy")
"""How the yes comes."""

WHEN = {
    "after the yes, before it is read again": ("stale_plan", 0),
    "below the middle, after the first delete": ("partial", 1),
    "below the top, after the first delete": ("partial", 2),
    "below the top, when its delete has arrived": ("partial", 2),
}
"""When and where a child is born -> the error, and how many deletes are done."""


@dataclass
class Birth:
    """One cascade of three, and the child born into it.

    Args:
        ids: In the order they may go, the target last.
        born: The child, once it is.
    """

    place: Place
    when: str
    ids: list[str] = field(default_factory=list[str])
    born: str = ""

    async def prepare(self) -> None:
        """A workspace, one below it and one below that; the tenant waits for the moment."""
        top = await self.place.make("Top")
        middle = await self.place.make("Middle", top)
        self.ids = [await self.place.make("Leaf", middle), middle, top]
        self.place.watched.before = self.arrived

    async def arrived(self, line: str) -> None:
        """Step in at the first look after the first delete, or when the last delete is at the door."""
        gone = f"DELETE /workspaces/{self.ids[0]}" in self.place.watched.executed
        if "after the first delete" in self.when and gone:
            await self.bear(self.ids[1 if "middle" in self.when else 2])
        elif "has arrived" in self.when and line == f"DELETE /workspaces/{self.ids[2]}":
            await self.bear(self.ids[2])

    async def said_yes(self) -> None:
        """The yes is given, and not acted upon."""
        if self.when.startswith("after the yes"):
            await self.bear(self.ids[2])

    async def bear(self, parent: str) -> None:
        """Once."""
        if not self.born:
            self.born = "on its way"
            self.born = await self.place.make("Late", parent)


class Parent(Person):
    """Says yes, and what happens next happens before the client has passed that on."""

    def __init__(self, birth: Birth) -> None:
        super().__init__(harness.exactly_yes)
        self.birth = birth

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        answer = await super().__call__(context, params)
        await self.birth.said_yes()
        return answer


@dataclass(frozen=True)
class Born:
    """What became of one birth; `wrong` is empty when all is as it should be."""

    way: str
    when: str
    error: str
    sent: int
    wrong: list[str]

    def __str__(self) -> str:
        wrong = f"; WRONG: {'; '.join(self.wrong)}" if self.wrong else ""
        return f"born {self.when} ({self.way}): {self.error}, {self.sent} sent{wrong}"


async def born(place: Place, folder: Path, way: str, when: str) -> Born:
    """Delete a tree that a child is born into."""
    how, mode = way.split(" ")
    birth = Birth(place, when)
    await birth.prepare()
    before = len(place.changes)
    try:
        worked, answer = await deleted(birth, folder, how, mode)
    finally:
        place.watched.before = None
    arrived = place.changes[before:]
    wrong = [] if not worked else ["it says that all went well"]
    wrong += list(complaints(birth, answer, arrived))
    wrong += [f"{each} is gone" for each in (birth.ids[2], birth.born) if not await place.lives(each)]
    return Born(way, when, str(answer.get("error")), len(arrived), wrong)


async def deleted(birth: Birth, folder: Path, how: str, mode: str) -> tuple[bool, dict[str, Any]]:
    """The call, with its yes."""
    given = {"workspace_id": birth.ids[2]}
    if how == "form":
        async with client(birth.place, folder, mode=mode, person=Parent(birth)) as connected:
            return await called(connected, "delete_workspace", given)
    state_folder(folder)
    async with client(birth.place, folder, mode=mode, flags=("--allow-wait", "0")) as connected:
        _, first = await called(connected, "delete_workspace", given)
        sign(folder, first["code"])
        await birth.said_yes()
        return await called(connected, "delete_workspace", given)


def complaints(birth: Birth, answer: dict[str, Any], arrived: list[str]) -> Iterator[str]:
    """Where an answer, or what arrived, is not as it should be."""
    error, done = WHEN[birth.when]
    if answer.get("error") != error:
        yield f"the answer is {answer}"
    if answer.get("sent") is not bool(done):
        yield f"sent is {answer.get('sent')}"
    last = 1 if "has arrived" in birth.when else 0
    if arrived != [f"DELETE /workspaces/{each}" for each in birth.ids[: done + last]]:
        yield f"there arrived {arrived}"
    if done:
        ended = ["done"] * done + (["failed"] if last else []) + ["not_attempted"] * 3
        listed = [(item["request"], item["state"]) for item in answer.get("items", [])]
        if listed != [(f"DELETE /workspaces/{each}", state) for each, state in zip(birth.ids, ended, strict=False)]:
            yield f"the items are {listed}"
