// The catalog of the shipped rules in a browser: `node test.mjs SITE`, where
// SITE is what `rulec catalog` wrote. Without a Chromium or axe-core it says
// so and passes.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { chromium, launch } from "./browser.mjs";

const site = resolve(process.argv[2] || "site");
const program = chromium();
if (!program) {
  console.log("skipped: the catalog in a browser, because there is no Chromium (CHROMIUM may name one)");
  process.exit(0);
}
let axe;
try {
  axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
} catch {
  console.log("skipped: the catalog in a browser, because axe-core is not installed (npm install --no-package-lock)");
  process.exit(0);
}

const INDEX = "index.html";
const rules = readdirSync(`${site}/rules`).map((name) => `rules/${encodeURIComponent(name)}`);
const RULE = rules.find((name) => name.includes("RL-0001")) || rules[0];
const KINDS = [INDEX, RULE, "attack.html", "events.html", "indicators.html", "changes.html"];
const address = (path) => `${pathToFileURL(site).href}/${path}`;

const browser = await launch(program);
const page = await browser.page();
let failed = 0;

async function test(name, run) {
  page.problems.length = 0;
  page.requests.length = 0;
  try {
    await run();
    assert.deepEqual(page.problems, [], "nothing is logged as an error");
    const elsewhere = page.requests.filter((url) => !url.startsWith(`${pathToFileURL(site).href}/`) && url !== "about:blank");
    assert.deepEqual(elsewhere, [], "nothing is asked for but the site's own files");
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}

const shown = () => page.eval(`[...document.querySelectorAll("#rules > li")].filter((row) => !row.hidden).map((row) => row.querySelector(".id").textContent)`);
const hash = () => page.eval("decodeURIComponent(location.hash.replaceAll('+', ' '))");
const focused = () => page.eval(`(() => { const at = document.activeElement; return at.id || at.textContent.trim().slice(0, 60); })()`);

/** Presses Tab until something is true of what has the focus. */
async function tabTo(what, most = 60) {
  for (let i = 0; i < most; i++) {
    await page.press("Tab");
    if (await page.eval(`(() => { const at = document.activeElement; return Boolean(${what}); })()`)) return;
  }
  assert.fail(`no ${most} tabs lead to ${what}; the last is at ${await focused()}`);
}

for (const kind of KINDS) {
  for (const [scheme, width] of [["light", 1280], ["dark", 1280], ["light", 390]]) {
    await test(`axe: ${kind}, ${scheme}, ${width} pixels`, async () => {
      await page.open(address(kind), { scheme, width });
      // What is folded away is looked at as well.
      await page.eval(`document.querySelectorAll("details").forEach((part) => (part.open = true))`);
      await page.eval(axe);
      const found = await page.eval(`axe.run(document, { preload: false, resultTypes: ["violations"] }).then((result) =>
        result.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map((n) => n.target + " " + n.failureSummary).join(" | ")))`);
      assert.deepEqual(found, []);
      assert.ok((await page.eval("document.documentElement.scrollWidth")) <= width, "the page is no wider than the window");
    });
  }
}

await test("search finds by word, part of a word, technique, table and indicator", async () => {
  await page.open(address(INDEX));
  const all = await shown();
  for (const [query, id] of [
    ["injection", "RL-0001"],
    ["process inject", "RL-0001"],
    ["T1055.002", "RL-0001"],
    ["remotethread", "RL-0001"],
    ["vssadmin.exe", "RL-0003"],
    ["signinlogs spray", "RL-0017"],
  ]) {
    await page.open(address(INDEX));
    await page.eval(`document.getElementById("q").focus()`);
    await page.type(query);
    const found = await shown();
    assert.ok(found.length > 0 && found.length < all.length, `${query} narrows: ${found.length} of ${all.length}`);
    assert.ok(found[0].startsWith(id), `${query} finds ${id} first: ${found.slice(0, 3)}`);
    assert.equal(await hash(), `#q=${query}`);
    assert.match(await page.eval(`document.getElementById("status").textContent`), new RegExp(`^${found.length} of ${all.length} rules$`));
  }
  await page.open(address(INDEX));
  await page.eval(`document.getElementById("q").focus()`);
  await page.type("nosuchword");
  assert.deepEqual(await shown(), []);
  assert.equal(await page.eval(`document.getElementById("nothing").hidden`), false);
});

await test("filters narrow, count and are kept in the address", async () => {
  await page.open(address(INDEX));
  const all = (await shown()).length;
  const choose = (name, value) => page.eval(`document.querySelector('#find input[name="${name}"][value="${value}"]').click()`);
  await choose("severity", "high");
  const high = (await shown()).length;
  assert.ok(high > 0 && high < all);
  await choose("tactic", "Impact");
  const both = await shown();
  assert.ok(both.length > 0 && both.length < high);
  assert.equal(await hash(), "#tactic=Impact&severity=high");
  const count = await page.eval(`document.querySelector('input[name="severity"][value="high"]').parentElement.querySelector(".count").textContent`);
  assert.equal(Number(count), both.length);
  const url = await page.eval("location.href");
  await page.open(url);
  assert.deepEqual(await shown(), both, "the address brings the same rules back");
  await page.eval(`document.querySelector('#find button[type="reset"]').click()`);
  await new Promise((wait) => setTimeout(wait, 50));
  assert.equal((await shown()).length, all);
  assert.equal(await hash(), "");
});

await test("the keyboard is enough", async () => {
  await page.open(address(INDEX));
  await page.press("Tab");
  assert.equal(await focused(), "Skip to content");
  await page.press("Enter");
  assert.equal(await page.eval("location.hash"), "#main");
  await tabTo(`at.id === "q"`);
  await page.type("lsass");
  await tabTo(`at.tagName === "SUMMARY" && at.textContent === "Severity"`);
  await tabTo(`at.name === "severity" && at.value === "high"`);
  await page.press(" ");
  assert.equal(await hash(), "#q=lsass&severity=high");
  await tabTo(`at.closest("#rules h3")`);
  const loaded = page.next("Page.loadEventFired");
  await page.press("Enter");
  await loaded;
  assert.match(await page.eval("document.querySelector('h1').textContent"), /LSASS/i);
  await page.open(address("attack.html"));
  await tabTo(`at.tagName === "SUMMARY"`);
  await page.press("Enter");
  await tabTo(`at.closest(".cell a")`);
  assert.ok(await page.eval(`getComputedStyle(document.activeElement).outlineStyle !== "none"`), "the focus is seen");
});

await test("a rule's page has its parts, and the drawing leads to the stages", async () => {
  await page.open(address(RULE));
  for (const id of ["attack", "query", "pipeline", "stages", "indicators", "output", "settings", "artifacts", "versions"]) {
    assert.ok(await page.eval(`Boolean(document.getElementById("${id}"))`), id);
  }
  const broken = await page.eval(`[...document.querySelectorAll("svg a, .contents a, td a")]
    .map((a) => a.getAttribute("href")).filter((href) => href.startsWith("#") && !document.getElementById(href.slice(1)))`);
  assert.deepEqual(broken, []);
  await page.eval(`document.querySelector("#artifacts ~ details, .artifact").open = true`);
  await page.send("Browser.grantPermissions", { permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"] }).catch(() => {});
  await page.eval(`document.querySelector(".code .copy").click()`);
  await new Promise((wait) => setTimeout(wait, 100));
  assert.match(await page.eval(`document.querySelector(".code .copy").textContent`), /Copied|Selected/);
});

await test("all is there without scripts", async () => {
  await page.open(address(INDEX), { scripts: false });
  assert.equal((await shown()).length, rules.length);
  assert.equal(await page.eval(`getComputedStyle(document.getElementById("find")).display`), "none");
  await page.open(address(RULE), { scripts: false });
  assert.ok((await page.eval("document.body.innerText.length")) > 5000);
  assert.equal(await page.eval(`document.querySelectorAll(".copy").length`), 0);
});

await test("prints without what only a screen needs", async () => {
  for (const kind of [INDEX, RULE, "attack.html"]) {
    await page.open(address(kind), { scheme: "dark", media: "print" });
    const seen = await page.eval(`[".top nav", ".find", ".contents", ".copy", "footer"].flatMap((name) => [...document.querySelectorAll(name)])
      .filter((part) => getComputedStyle(part).display !== "none").map((part) => part.className)`);
    assert.deepEqual(seen, []);
    assert.equal(await page.eval(`getComputedStyle(document.documentElement).backgroundColor`), "rgb(255, 255, 255)");
  }
});

await browser.close();
if (failed) {
  console.log(`${failed} failed`);
  process.exit(1);
}
