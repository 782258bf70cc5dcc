"""The page's routes: what waits, one plan and its decision, a secret's entry, a minted value shown once.

    GET  /                 a code, or everything
    GET  /open?code=       on to the plan or the secret of that code
    POST /waiting          everything, behind the passphrase
    GET  /plan/CODE        one plan          POST: allow, answer or refuse it
    GET  /secret/CODE      one secret        POST: its value
    GET  /minted/NAME      one minted value  POST: show it once, behind the passphrase

Nothing a browser brings along opens anything: a plan and a secret are found by their code, a yes takes the passphrase,
each time. On the HTTP server what no code stands behind asks for a bearer too, and a secret for the very bearer whose
call asked for it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from molecule_mcp.console import decisions, pages
from molecule_mcp.console.guard import COOKIE, LOOPBACK, SHOWN, Forms, Guard, Refusal
from molecule_mcp.console.html import Html
from molecule_mcp.console.pages import Frame
from molecule_mcp.errors import ArgumentError, GateStop, MoleculeError
from molecule_mcp.gate.answer import FormAnswer, form, meaning
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Outputs, Typed
from molecule_mcp.secrets.typed import Wanted
from molecule_mcp.store import approver
from molecule_mcp.store.forms import plain_code
from molecule_mcp.store.records import Store, StoredPlan

STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
NOTHING = "Nothing waits under this code: it was mistyped, or its time is over."
WRONG = {"wrong_passphrase": 403, "approver_locked": 429, "no_approver": 409}
"""What can be wrong about a passphrase -> the status it is answered with."""

Answer = Callable[[Request], Awaitable[Response]]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Desk:
    """What people decide about.

    Args:
        folder: The state folder, which holds the approver's files.
        bearer: The name behind a bearer of the HTTP server, or None; None when no bearer is asked for, on loopback.
        hosts: Host names that a request may be addressed to, without port.
    """

    store: Store
    folder: Path
    typed: Typed
    outputs: Outputs
    redactor: Redactor
    bearer: Callable[[str], str | None] | None = None
    hosts: tuple[str, ...] = LOOPBACK
    forms: Forms = field(default_factory=Forms)


def application(desk: Desk) -> Starlette:
    """The page as an application of its own, or to be mounted."""
    routes: list[tuple[str, str, Callable[[Visit], Awaitable[Response]]]] = [
        ("GET", "/", front),
        ("GET", "/open", opened),
        ("POST", "/waiting", waiting),
        ("GET", "/plan/{code}", plan),
        ("POST", "/plan/{code}", decided),
        ("GET", "/secret/{code}", secret),
        ("POST", "/secret/{code}", typed),
        ("GET", "/minted/{name}", minted),
        ("POST", "/minted/{name}", shown),
    ]
    return Starlette(
        routes=[
            Route("/page.css", style, methods=["GET"]),
            *(Route(path, visited(desk, view), methods=[method]) for method, path, view in routes),
        ],
        middleware=[Middleware(Guard, hosts=desk.hosts)],
    )


async def style(_request: Request) -> Response:
    """The style sheet."""
    return Response(STYLE, media_type="text/css")


@dataclass
class Visit:
    """One request: its form when it has one, and what answers are made of."""

    desk: Desk
    request: Request
    frame: Frame
    cookie: str
    fields: dict[str, str]

    @property
    def code(self) -> str:
        """The code in the address, as it is looked up."""
        return plain_code(self.request.path_params["code"])

    def page(self, html: Html, status: int = 200, *, masked: bool = True) -> Response:
        """A page, with every known secret masked but where it is the very thing to be shown."""
        answer = HTMLResponse(self.desk.redactor.text(html) if masked else html, status)
        secure = self.request.url.scheme == "https"
        answer.set_cookie(COOKIE, self.cookie, path=self.frame.root or "/", httponly=True, samesite="strict",
                          secure=secure)  # fmt: skip
        return answer

    def on(self, path: str) -> Response:
        """On to another address of the page; a reload then sends nothing again."""
        return RedirectResponse(f"{self.frame.root}{path}", 303)

    def with_errors(self, **errors: str) -> Frame:
        """The frame of the same page with what is wrong; `form` is the form as a whole."""
        return replace(self.frame, errors={"" if name == "form" else name: text for name, text in errors.items()})


class Wrong(Exception):
    """A form that cannot be taken: what is wrong by field, and the status."""

    def __init__(self, status: int, **errors: str) -> None:
        super().__init__(status)
        self.status = status
        self.errors = errors


def visited(desk: Desk, view: Callable[[Visit], Awaitable[Response]]) -> Answer:
    """A view as a route: the form is read and checked first, what fails is told as a page."""

    async def answer(request: Request) -> Response:
        cookie = desk.forms.cookie(request)
        frame = Frame(str(request.scope.get("root_path", "")), desk.forms.token(cookie), desk.bearer is not None)
        visit = Visit(desk, request, frame, cookie, {})
        try:
            if request.method == "POST":
                visit.fields = await desk.forms.fields(request)
            return await view(visit)
        except Refusal as refusal:
            return PlainTextResponse(refusal.why, refusal.status)
        except MoleculeError as error:
            status = 404 if isinstance(error, ArgumentError) else 409
            return visit.page(pages.nothing(frame, f"{error.message} {error.advice or ''}".strip()), status)

    return answer


async def threaded(work: Callable[..., Result], *given: object) -> Result:
    """Disk and scrypt, off the event loop."""
    return await anyio.to_thread.run_sync(partial(work, *given))


async def front(visit: Visit) -> Response:
    """The first page."""
    return visit.page(pages.front(visit.frame))


async def opened(visit: Visit) -> Response:
    """From a typed code to what waits under it."""
    code = plain_code(visit.request.query_params.get("code", ""))
    if stored := await threaded(visit.desk.store.plan_by_code, code):
        return visit.on(f"/plan/{stored.plan.code}")
    if asked := await threaded(visit.desk.typed.wanted, code):
        return visit.on(f"/secret/{asked[0].code}")
    return visit.page(pages.front(visit.with_errors(code=NOTHING)), 404)


async def waiting(visit: Visit) -> Response:
    """Everything that waits, once the passphrase is right."""
    try:
        await known(visit)
        await unlocked(visit)
    except Wrong as wrong:
        return visit.page(pages.front(visit.with_errors(**wrong.errors)), wrong.status)
    desk = visit.desk
    plans = await threaded(decisions.waiting, desk.store)
    return visit.page(pages.waiting(visit.frame, plans, await threaded(desk.outputs.minted)))


async def known(visit: Visit, principal: str | None = None) -> None:
    """On the HTTP server: who the person is, and that they are the one whose call asks.

    Raises: Wrong.
    """
    if visit.desk.bearer is None:
        return
    name = visit.desk.bearer(f"Bearer {visit.fields.get('bearer', '')}")
    if name is None:
        raise Wrong(403, bearer="That is no bearer of this server.")
    if principal is not None and principal != f"http:{name}":
        raise Wrong(403, bearer="Another bearer's call asks for this.")


async def unlocked(visit: Visit) -> None:
    """Raises: Wrong unless the passphrase opens the approver's key."""
    try:
        await threaded(approver.unlock, visit.desk.folder, visit.fields.get("passphrase", ""))
    except GateStop as stop:
        raise wrong_passphrase(stop) from None


def wrong_passphrase(stop: GateStop) -> Wrong:
    """What a passphrase that does not open the key is told."""
    left = stop.details.get("tries_left")
    advice = f"{left} tries are left." if left is not None else stop.advice
    return Wrong(WRONG[stop.kind], passphrase=f"{stop.message} {advice}")


async def stored_plan(visit: Visit) -> tuple[StoredPlan, str]:
    """The plan of the address, and what became of it.

    Raises: ArgumentError, GateStop.
    """
    return await threaded(decisions.looked_up, visit.desk.store, visit.code)


async def plan(visit: Visit) -> Response:
    """One plan."""
    return visit.page(pages.plan(visit.frame, *await stored_plan(visit)))


async def decided(visit: Visit) -> Response:
    """A person's yes, answer or no."""
    stored, state = await stored_plan(visit)
    here = f"/plan/{stored.plan.code}"
    if state != "open":
        return visit.on(here)
    desk, fields = visit.desk, visit.fields
    if fields.get("decision") == "refuse":
        await threaded(decisions.refuse, desk.store, stored)
        await threaded(desk.typed.forget, stored.plan.binding)
        return visit.on(here)
    try:
        if fields.get(SHOWN) != stored.plan.digest:
            raise Wrong(409, form="This is not what you were shown before: read it anew. Nothing was allowed.")
        chosen = answer_in(stored, fields)
        passphrase = fields.get("passphrase", "")
        await threaded(decisions.allow, desk.store, desk.folder, stored, chosen, passphrase)
    except Wrong as wrong:
        return visit.page(pages.plan(visit.with_errors(**wrong.errors), stored, state), wrong.status)
    except GateStop as stop:
        if stop.kind == "plan_used":
            return visit.on(here)
        wrong = wrong_passphrase(stop)
        return visit.page(pages.plan(visit.with_errors(**wrong.errors), stored, state), wrong.status)
    return visit.on(here)


def answer_in(stored: StoredPlan, fields: dict[str, str]) -> str:
    """The plan's answer that a form gives, by the same rule as a client's form.

    Raises: Wrong.
    """
    question = stored.plan.question
    [name] = form(question)["required"]
    given = {"phrase": fields.get("phrase"), "decision": fields.get("answer"), "allow": True}[name]
    if name == "allow" and fields.get("decision") != "allow":
        raise Wrong(422, form="Press one of the two buttons.")
    chosen, _ = meaning(question, FormAnswer(stored.plan.id, "accept", {name: given}))
    if chosen is None and name == "phrase":
        raise Wrong(422, phrase="That is not the phrase; it has to be typed exactly.")
    if chosen is None:
        raise Wrong(422, answer="Choose an answer.")
    return chosen


async def asked_secret(visit: Visit) -> tuple[Wanted, str]:
    """The secret of the address.

    Raises: ArgumentError when none is asked for under it.
    """
    found = await threaded(visit.desk.typed.wanted, visit.code)
    if found is None:
        raise ArgumentError(NOTHING)
    return found


async def secret(visit: Visit) -> Response:
    """Where a secret is typed."""
    return visit.page(pages.secret(visit.frame, *await asked_secret(visit)))


async def typed(visit: Visit) -> Response:
    """A secret that was typed; it is never sent back."""
    wanted, state = await asked_secret(visit)
    if visit.fields.get("decision") == "decline":
        await threaded(visit.desk.typed.decline, wanted)
        return visit.on(f"/secret/{wanted.code}")
    value = visit.fields.get("value", "").replace("\r\n", "\n").removesuffix("\n")
    if state == "open":
        try:
            await known(visit, wanted.principal)
            await threaded(kept, visit.desk, wanted, value)
        except Wrong as wrong:
            return visit.page(pages.secret(visit.with_errors(**wrong.errors), wanted, state), wrong.status)
        except ArgumentError as error:
            return visit.page(pages.secret(visit.with_errors(value=error.message), wanted, state), 422)
    return visit.on(f"/secret/{wanted.code}")


def kept(desk: Desk, wanted: Wanted, value: str) -> None:
    """Keep a typed value, and mask it from then on.

    What is not kept is not learned either: else whoever has a code could have any word masked in everybody's answers.

    Raises: ArgumentError, StoreError.
    """
    if desk.typed.fill(wanted, value):
        desk.redactor.learn(value, f"page:{wanted.name}")


async def minted(visit: Visit) -> Response:
    """Before a minted value is shown."""
    return visit.page(pages.minted(visit.frame, visit.request.path_params["name"]))


async def shown(visit: Visit) -> Response:
    """A minted value, this once."""
    name = visit.request.path_params["name"]
    try:
        await known(visit)
        await unlocked(visit)
    except Wrong as wrong:
        return visit.page(pages.minted(visit.with_errors(**wrong.errors), name), wrong.status)
    value = await threaded(visit.desk.outputs.once, name)
    return visit.page(pages.shown(visit.frame, name, value), masked=False)
