// The page for people in Chromium, over plans that real calls made on the sample tenant: every state that a person can
// meet, by mouse, by keyboard and without scripts, each checked by axe in light and dark. Exit code 1 at the first
// thing that is not as it should be. Screenshots go to docs/images/.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");
const PYTHON = join(ROOT, ".venv/bin/python");
const IMAGES = join(ROOT, "docs/images");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PASSPHRASE = "correct horse battery";
const WRONG = "incorrect horse";
const VALUE = "sesame-0123456789-typed-by-a-person";
const LOOKS = ["light", "dark"];

const state = mkdtempSync(join(tmpdir(), "page-"));
let checked = 0;
let states = 0;

function python(...args) {
  return execFileSync(PYTHON, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "pipe"] });
}

const scene = (...args) => python("-m", "tests.page.scene", state, ...args);

// One call of a tool, like a client that cannot be asked. Returns the answer; an error is one too.
function call(tool, given) {
  const args = ["-m", "molecule_mcp", "call", tool, JSON.stringify(given), "--allow-wait", "0", "--state", state];
  try {
    return JSON.parse(python(...args));
  } catch (error) {
    if (error.status !== 1) throw error;
    return JSON.parse(error.stdout);
  }
}

function waiting(tool, given, why = "allow_required") {
  const told = call(tool, given);
  assert.equal(told.error, why, JSON.stringify(told));
  assert.equal(told.sent, false);
  return told.code;
}

async function served() {
  const args = ["-m", "molecule_mcp", "page", "--port", "0", "--state", state];
  const program = spawn(PYTHON, args, { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] });
  const [address] = await new Promise((done, failed) => {
    createInterface(program.stdout).once("line", (line) => done([line]));
    program.once("exit", () => failed(new Error("the page did not start")));
  });
  return { program, address };
}

// A state that was reached: its heading or title says so, axe finds nothing in either look, nothing scripted is there.
async function reached(page, name, text) {
  await page.getByText(text).first().waitFor({ timeout: 5000 });
  for (const colorScheme of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const { violations, incomplete, passes } = await globalThis.axe.run();
      const told = (each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" | ")}`;
      return { wrong: [...violations, ...incomplete].map(told), passed: passes.length };
    });
    assert.deepEqual(found.wrong, [], `axe on ${name}, ${colorScheme}`);
    checked += found.passed;
  }
  assert.equal(await page.evaluate(() => document.scripts.length), 0);
  states += 1;
  console.log(`  ${name}`);
}

async function picture(page, name, colorScheme = "light") {
  await page.emulateMedia({ colorScheme });
  await page.screenshot({ path: join(IMAGES, `${name}.png`), fullPage: true });
}

const field = (page, label) => page.getByLabel(label);
const press = (page, name) => page.getByRole("button", { name }).click();

async function allowed(page, address, ids) {
  const given = { workspace_id: ids["SEO Analyst"] };
  const code = waiting("delete_workspace", given);
  await page.goto(address);
  await reached(page, "the first page", "You were given a code");
  await field(page, "Code").fill("0000-0000");
  await press(page, "Show it");
  await reached(page, "an unknown code", "Nothing waits under this code");
  await field(page, "Code").fill(code.toLowerCase().replace("-", ""));
  await press(page, "Show it");
  await reached(page, "a plan", "Delete 1 workspace");
  await picture(page, "page-plan");
  await picture(page, "page-plan-dark", "dark");
  await field(page, "Approver's passphrase").fill(WRONG);
  await press(page, "Allow exactly this");
  await reached(page, "a wrong passphrase", "4 tries are left");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "passphrase", "the focus is on what is wrong");
  assert.equal(call("delete_workspace", given).error, "allow_required");
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Allow exactly this");
  await reached(page, "allowed", "The agent now has to repeat its call");
  await picture(page, "page-allowed");
  const done = call("delete_workspace", given);
  assert.equal(done.grant, "human", JSON.stringify(done));
  await page.reload();
  await reached(page, "used up", "Used up.");
}

async function refused(page, address, ids) {
  const given = { workspace_id: ids.Copywriter };
  await page.goto(`${address}/plan/${waiting("delete_workspace", given)}`);
  await press(page, "Refuse");
  await reached(page, "refused", "Nothing will be sent.");
  assert.ok(call("list_workspaces", { limit: 100 }).rows.some((row) => row[0] === ids.Copywriter));
}

async function expired(page, address) {
  scene("expired");
  await page.goto(`${address}/plan/0DAY-0000`);
  await reached(page, "expired", "The agent has to call the tool again");
  assert.equal(await page.getByRole("button").count(), 0);
}

async function phrase(page, address, ids) {
  await page.goto(`${address}/plan/${waiting("delete_workspace", { workspace_id: ids["Marketing Lead"] })}`);
  await field(page, "Type the phrase").fill("not-it");
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Allow exactly this");
  await reached(page, "a wrong phrase", "That is not the phrase");
  await picture(page, "page-wrong-phrase");
  const asked = await page.getByText("Type the phrase: ").textContent();
  await field(page, "Type the phrase").fill(asked.split(": ")[1]);
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Allow exactly this");
  await reached(page, "a typed phrase", "Allowed.");
}

async function decided(page, address) {
  const { workspace_id, approval_id } = call("list_pending_approvals", {}).pending[0];
  await page.goto(`${address}/plan/${waiting("decide_approval", { workspace_id, approval_id })}`);
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Answer");
  await reached(page, "no answer chosen", "Choose an answer");
  await page.getByRole("radio", { name: "Deny" }).check();
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await picture(page, "page-decision");
  await press(page, "Answer");
  await reached(page, "an answer", "Allowed.");
}

async function typed(page, address, ids) {
  const given = { workspace_id: ids["Ticket Triage"], key: "OPENAI_API_KEY" };
  await page.goto(`${address}/secret/${waiting("set_workspace_secret", given, "secret_required")}`);
  await reached(page, "a secret is asked for", "OPENAI_API_KEY");
  await field(page, "The secret value").fill(VALUE);
  await picture(page, "page-secret");
  await press(page, "Keep it for this call");
  await reached(page, "a secret is kept", "Kept.");
  assert.ok(!(await page.content()).includes(VALUE));
  await page.goto(`${address}/plan/${waiting("set_workspace_secret", given)}`);
  assert.ok(!(await page.content()).includes(VALUE));
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Allow exactly this");
  const done = call("set_workspace_secret", given);
  assert.ok(done.items[0].updated_at, JSON.stringify(done));
  assert.ok(!JSON.stringify(done).includes(VALUE));
}

async function once(page, address) {
  const given = { name: "ci pipeline" };
  scene("sign", waiting("create_org_token", given));
  const path = call("create_org_token", given).items[0].written_to;
  const key = readFileSync(path, "utf8").trim();
  await page.goto(address);
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Show all");
  await reached(page, "everything that waits", "Made for you");
  await page.getByRole("link", { name: /^org-token/ }).click();
  await reached(page, "a key before it is shown", "It is shown once");
  await field(page, "Approver's passphrase").fill(WRONG);
  await press(page, "Show it once");
  await reached(page, "a key behind the wrong passphrase", "tries are left");
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Show it once");
  await reached(page, "a key shown once", "Copy it now.");
  assert.equal(await page.locator("#value").textContent(), key);
  assert.throws(() => readFileSync(path), /ENOENT/);
  await page.locator("#value").evaluate((element) => (element.textContent = "the key itself"));
  await picture(page, "page-once");
}

// Without scripts, and by keyboard alone: each key goes to what has the focus.
async function byKeyboard(browser, address, ids) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(address);
  await page.keyboard.type(waiting("delete_workspace", { workspace_id: ids["Paper Scout"] }));
  await page.keyboard.press("Enter");
  await page.getByText("Your decision").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSPHRASE);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("The agent now has to repeat its call").waitFor();
  await context.close();
  states += 1;
  console.log("  allowed without scripts, by keyboard");
}

async function locked(page, address, ids) {
  await page.goto(`${address}/plan/${waiting("delete_workspace", { workspace_id: ids.Bookkeeper })}`);
  for (let tries = 0; tries < 5; tries += 1) {
    await field(page, "Approver's passphrase").fill(WRONG);
    await press(page, "Allow exactly this");
    await page.getByText(`${4 - tries} tries are left`).waitFor();
  }
  await field(page, "Approver's passphrase").fill(PASSPHRASE);
  await press(page, "Allow exactly this");
  await reached(page, "locked after five tries", "Try again in 15 minutes");
  await picture(page, "page-locked");
}

mkdirSync(IMAGES, { recursive: true });
scene("approver");
const ids = Object.fromEntries(call("list_workspaces", { limit: 100 }).rows.map((row) => [row[1], row[0]]));
const { program, address } = await served();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const context = await browser.newContext({ viewport: { width: 820, height: 640 } });
  const page = await context.newPage();
  const elsewhere = [];
  page.on("request", (request) => request.url().startsWith(address) || elsewhere.push(request.url()));
  await allowed(page, address, ids);
  await refused(page, address, ids);
  await expired(page, address);
  await phrase(page, address, ids);
  await decided(page, address);
  await typed(page, address, ids);
  await once(page, address);
  await byKeyboard(browser, address, ids);
  await locked(page, address, ids);
  assert.deepEqual(elsewhere, [], "nothing was asked of anybody else");
  console.log(`${states} states reached, axe clean in ${LOOKS.join(" and ")}: ${checked} rules passed`);
} finally {
  await browser.close();
  program.kill();
  rmSync(state, { recursive: true, force: true });
}
