"""What the page shows, as HTML. Pure: what is known goes in, markup comes out; every text is escaped on the way.

Each view works without scripts: headings, labels and landmarks for a screen reader, an error beside its field, the
focus where a person goes on.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from molecule_mcp.console.decisions import requests
from molecule_mcp.console.guard import SHOWN, TOKEN
from molecule_mcp.console.html import Html, document, joined, tag
from molecule_mcp.gate.question import LEAVE
from molecule_mcp.secrets.typed import FILL, Wanted
from molecule_mcp.store.records import StoredPlan

ENDED = {
    "granted": ("Allowed", "Exactly what stands below may be sent, once. The agent now has to repeat its call."),
    "refused": ("Refused", "Nothing will be sent."),
    "expired": ("Expired", "Nothing was sent for it. The agent has to call the tool again, and you are asked anew."),
    "spent": (
        "Used up",
        "It was allowed, and its call was made. Run molecule-mcp audit show to see what became of it.",
    ),
}
"""A plan that takes no answer any more: its state in words, and what that means."""


@dataclass(frozen=True)
class Frame:
    """What every view needs.

    Args:
        root: Path that the page lies under, "" for the top.
        token: Goes along with every form of this browser.
        bearer: Whether forms that no code stands behind ask for a bearer of the HTTP server.
        errors: Field name -> what is wrong with it; "" is the form as a whole.
    """

    root: str
    token: str
    bearer: bool = False
    errors: Mapping[str, str] = field(default_factory=dict[str, str])

    def page(self, title: str, *parts: str) -> Html:
        """A whole page; the title says it when something is wrong."""
        alert = [tag("p", self.errors[""], class_="alert", role="alert")] if "" in self.errors else []
        main = joined(tag("h1", title), *alert, *parts)
        return document(f"Error: {title}" if self.errors else title, f"{self.root}/page.css", main)

    def form(self, action: str, *parts: str) -> Html:
        """A form that this browser may send."""
        token = tag("input", type="hidden", name=TOKEN, value=self.token)
        return tag("form", token, *parts, method="post", action=f"{self.root}{action}", autocomplete="off")

    def text(self, name: str, label: str, *, kind: str = "text", hint: str = "", focus: bool = False) -> Html:
        """A labelled field; an error stands between label and field, and takes the focus there."""
        return self._field(name, label, hint, tag("input", **self._attributes(name, hint, focus), type=kind))

    def area(self, name: str, label: str, *, hint: str) -> Html:
        """A field of several lines whose characters are not shown."""
        box = tag("textarea", **self._attributes(name, hint, True), rows="3", class_="hidden-text", required=True)
        return self._field(name, label, hint, box)

    def passphrase(self, *, focus: bool = False) -> Html:
        """The approver's passphrase, and the bearer where one is asked for."""
        return self.text("passphrase", "Approver's passphrase", kind="password", focus=focus)

    def bearer_field(self) -> Html:
        """Who the person is, on the HTTP server."""
        hint = "The one that the agent's host uses for this server."
        return self.text("bearer", "Bearer of this server", kind="password", hint=hint) if self.bearer else Html("")

    def error(self, name: str) -> Html:
        """What is wrong with a field, nothing when it is well."""
        if name not in self.errors:
            return Html("")
        return tag("p", f"Error: {self.errors[name]}", id=f"{name}-error", class_="error", role="alert")

    def _attributes(self, name: str, hint: str, focus: bool) -> dict[str, str | bool]:
        about = [f"{name}-error"] * (name in self.errors) + [f"{name}-hint"] * bool(hint)
        first = next((each for each in self.errors if each), None)
        return {
            "id": name,
            "name": name,
            "autocomplete": "off",
            "spellcheck": "false",
            "autofocus": focus if first is None else name == first,
            "aria_invalid": "true" if name in self.errors else False,
            "aria_describedby": " ".join(about) or False,
        }

    def _field(self, name: str, label: str, hint: str, box: Html) -> Html:
        parts = [tag("label", label, for_=name)]
        parts += [tag("p", hint, id=f"{name}-hint", class_="hint")] if hint else []
        return tag("div", *parts, self.error(name), box, class_="field")


def front(frame: Frame) -> Html:
    """Where a person starts who has nothing but a code."""
    lookup = tag(
        "form",
        frame.text("code", "Code", hint="Eight letters and digits, such as 7F3K-92QD.", focus=True),
        tag("button", "Show it"),
        method="get",
        action=f"{frame.root}/open",
        autocomplete="off",
    )
    whole = frame.form("/waiting", frame.bearer_field(), frame.passphrase(), tag("button", "Show all"))
    return frame.page(
        "What an agent asks of you",
        section("You were given a code", lookup),
        section("Everything that waits", tag("p", "Waiting calls, and keys that were made for you."), whole),
    )


def waiting(frame: Frame, plans: Sequence[StoredPlan], minted: Sequence[str]) -> Html:
    """Everything that waits for a person."""
    calls = [
        tag("li", tag("a", stored.plan.question.lines[0], href=f"{frame.root}/plan/{stored.plan.code}"),
            f" - {stored.plan.tool}, until ", moment(stored.plan.expires))
        for stored in plans
    ]  # fmt: skip
    keys = [tag("li", tag("a", name, href=f"{frame.root}/minted/{name}")) for name in minted]
    return frame.page(
        "Everything that waits",
        section("Calls", tag("ul", *calls) if calls else tag("p", "No call waits for a person.")),
        section("Made for you", tag("ul", *keys) if keys else tag("p", "No key waits to be shown.")),
    )


def plan(frame: Frame, stored: StoredPlan, state: str) -> Html:
    """One call in full: the question, the exact requests, and the decision or what became of it."""
    drawn = stored.plan
    head, means = ENDED.get(state, ("", ""))
    verdict = [tag("p", tag("strong", f"{head}. "), means, class_=f"verdict {state}", role="status")] if head else []
    until = joined("Good until ", moment(drawn.expires), ".") if state in {"open", "granted"} else Html("")
    asked = tag("p", f"Code {drawn.code}. Asked by {drawn.principal}, profile {drawn.profile}. ", until, class_="meta")
    sends = tag("ul", *(tag("li", tag("code", line)) for line in requests(stored)))
    parts = [
        *verdict,
        asked,
        section("What would happen", facts(drawn.question.lines[1:])),
        section("Sends exactly", sends),
    ]
    if state == "open":
        parts.append(section("Your decision", decision(frame, stored)))
    return frame.page(drawn.question.lines[0], *parts)


def facts(lines: Sequence[str]) -> Html:
    """The lines of a question as the program wrote them, lists below their label."""
    rows: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("  - ") and rows:
            rows[-1][1].append(line.removeprefix("  - "))
        else:
            rows.append((line, []))
    shown = (
        tag("li", line, *([tag("ul", *(tag("li", each) for each in below))] if below else [])) for line, below in rows
    )
    return tag("ul", *shown, class_="facts")


def decision(frame: Frame, stored: StoredPlan) -> Html:
    """The form that a plan is decided with; nothing in it is chosen beforehand, nor does the page jump there."""
    question = stored.plan.question
    answers = [each for each in question.answers if each != LEAVE]
    # So that the yes is to what this page shows, whatever stands under the code by then.
    parts = [tag("input", type="hidden", name=SHOWN, value=stored.plan.digest)]
    if question.phrase is not None:
        parts.append(frame.text("phrase", f"Type the phrase: {question.phrase}"))
    if len(answers) > 1:
        parts.append(tag("fieldset", tag("legend", "Answer"), frame.error("answer"), *map(choice, answers)))
    parts.append(frame.passphrase())
    yes = "Allow exactly this" if answers == ["allow"] else "Answer"
    no = "Leave it undecided" if LEAVE in question.answers else "Refuse"
    buttons = tag(
        "div",
        tag("button", yes, name="decision", value="allow", class_="yes"),
        tag("button", no, name="decision", value="refuse", class_="no"),
        class_="buttons",
    )
    return frame.form(f"/plan/{stored.plan.code}", *parts, buttons)


def choice(answer: str) -> Html:
    """One answer of several."""
    box = tag("input", type="radio", name="answer", value=answer, id=f"answer-{answer}")
    return tag("div", box, tag("label", answer.capitalize(), for_=f"answer-{answer}"), class_="choice")


def secret(frame: Frame, wanted: Wanted, state: str) -> Html:
    """The form that a secret is typed into."""
    title = "Type a secret"
    asked = facts(
        (
            f"Name: {wanted.name}",
            f"Tool: {wanted.tool}",
            f"Tenant: {wanted.tenant}",
            f"Asked by: {wanted.principal}, profile {wanted.profile}",
        )
    )
    told = tag(
        "p",
        "It goes to the tenant past the agent and its model, for this one call only. ",
        "Where it goes is shown to you, and asked, before it is sent.",
    )
    if state != "open":
        kept = state == "filled"
        word, then = ("Kept. ", "The agent now has to repeat its call.") if kept else ("Declined. ", "Nothing is sent.")
        done = tag("p", tag("strong", word), then, class_=f"verdict {'granted' if kept else 'refused'}",
                   role="status")  # fmt: skip
        return frame.page(title, done, section("What asks for it", asked))
    value = frame.area(
        "value", "The secret value", hint="Several lines are kept as they are; a last line break is not."
    )
    buttons = tag(
        "div",
        tag("button", "Keep it for this call", name="decision", value="keep", class_="yes"),
        tag("button", "Decline", name="decision", value="decline", class_="no", formnovalidate=True),
        class_="buttons",
    )
    form = frame.form(f"/secret/{wanted.code}", frame.bearer_field(), value, buttons)
    until = tag("p", f"Code {wanted.code}. Good until ", moment(wanted.created + FILL), ".", class_="meta")
    return frame.page(title, until, section("What asks for it", asked, told), section("The value", form))


def minted(frame: Frame, name: str) -> Html:
    """Before a minted value is shown."""
    form = frame.form(
        f"/minted/{name}", frame.bearer_field(), frame.passphrase(focus=True), tag("button", "Show it once")
    )
    warning = tag("p", "It is shown once, and its file is deleted. Have the place ready where you want to keep it.")
    return frame.page("A key made for you", tag("p", tag("code", name)), warning, section("Show it", form))


def shown(frame: Frame, name: str, value: str) -> Html:
    """A minted value, this once."""
    return frame.page(
        "A key made for you",
        tag("p", tag("strong", "Copy it now. "), "Its file is deleted, and it cannot be shown again.",
            class_="verdict granted", role="status"),
        section(name, tag("pre", tag("code", value, id="value"), tabindex="0", role="group", aria_label="The value")),
    )  # fmt: skip


def nothing(frame: Frame, why: str) -> Html:
    """Nothing is there."""
    back = tag("p", tag("a", "Type another code", href=f"{frame.root}/"))
    return frame.page("Nothing here", tag("p", why, role="status"), back)


def section(title: str, *parts: str) -> Html:
    """A part of a page under a heading of its own."""
    return tag("section", tag("h2", title), *parts)


def moment(seconds: float) -> Html:
    """A time as the clock of this machine shows it."""
    local = time.localtime(seconds)
    return tag("time", time.strftime("%H:%M:%S", local), datetime=time.strftime("%Y-%m-%dT%H:%M:%S%z", local))
