"""A browser of few words, and the desk it comes to."""

import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from molecule_mcp.console.app import Desk, application
from molecule_mcp.gate import grants
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Outputs, Typed
from molecule_mcp.store import approver
from molecule_mcp.store.records import Plan, Question
from molecule_mcp.store.sqlite import SqliteStore
from tests.store import making

PASSPHRASE = "correct horse battery"
HOST = "127.0.0.1:8766"
DELETE = Question(("Delete 1 workspace (destroy)", 'Name: "<b>Leaf</b>"', "Below: 1", '  - "Twig"'), ("allow",), None)
PURGE = Question(("Purge 1 workspace (critical)", "To allow exactly this, type: leaf-acba"), ("allow",), "leaf-acba")
CHOICE = Question(("Decide 1 approval (destroy)", 'Asks: "may I"'), ("approve", "deny", "leave"), None)


def desk(folder: Path, **changes: Any) -> Desk:
    """A desk with an approver."""
    if approver.public(folder) is None:
        approver.init(folder, PASSPHRASE)
    redactor = Redactor()
    made = Desk(
        store=SqliteStore(folder),
        folder=folder,
        typed=Typed(folder / "typed", grants.code),
        outputs=Outputs(folder / "outputs", redactor),
        redactor=redactor,
    )
    return replace(made, **changes)


def open_plan(at: Desk, question: Question, code: str = "7F3K-92QD", age: float = 0.0, **changes: Any) -> Plan:
    """A plan that was made so many seconds ago."""
    made = time.time() - age
    steps = [making.step(index, answer) for index, answer in enumerate(question.answers) if answer != "leave"]
    plan = making.plan(1, *steps, question=question, code=code, created=made, expires=made + 600, **changes)
    at.store.open_plan(plan)
    return plan


def hidden(markup: str) -> dict[str, str]:
    """The fields that a browser sends along with a form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', markup))


@dataclass
class Browser:
    """Goes to pages, keeps the cookie, and fills the forms it was given."""

    http: httpx.AsyncClient
    root: str = ""
    page: httpx.Response = field(default_factory=lambda: httpx.Response(200))

    @property
    def text(self) -> str:
        """The page as a person reads it."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.page.text)).split())

    async def go(self, path: str) -> int:
        """Load a page, following redirects. Returns its status."""
        self.page = await self.http.get(f"{self.root}{path}", follow_redirects=True)
        return self.page.status_code

    async def send(self, path: str, **fields: str) -> int:
        """Send a form of the page at hand, its hidden fields with it. Returns the status it ends with."""
        form = re.search(f'action="{re.escape(self.root + path)}"[^>]*>(.*?)</form>', self.page.text, re.DOTALL)
        assert form, f"no form for {path} on {self.page.text}"
        sent = {**hidden(form[1]), **fields}
        origin = {"Origin": f"http://{HOST}"}
        self.page = await self.http.post(f"{self.root}{path}", data=sent, headers=origin, follow_redirects=True)
        return self.page.status_code


@asynccontextmanager
async def browser(at: Desk, app: Callable[..., Any] | None = None, root: str = "") -> AsyncGenerator[Browser]:
    """A browser on the page of a desk, or on another application that has it below `root`."""
    transport = httpx.ASGITransport(app or application(at))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
        yield Browser(http, root)
