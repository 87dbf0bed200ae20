// The catalog's only script: search, filters and copy buttons. All pages read well without it.
"use strict";

document.documentElement.classList.add("js");

// Copy buttons beside queries and artifacts.
for (const block of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const code = block.querySelector("code");
    let done = true;
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // Where the clipboard is not given to pages, the text is selected instead.
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Selected";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  block.append(button);
}

// What opens a link's target when that is folded away.
function unfold() {
  let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (; at; at = at.parentElement) {
    if (at instanceof HTMLDetailsElement) at.open = true;
  }
}

const form = document.getElementById("find");
if (form && window.catalogIndex) find(form, window.catalogIndex);
else {
  unfold();
  addEventListener("hashchange", unfold);
}

function find(form, index) {
  const input = form.elements.q;
  const list = document.getElementById("rules");
  const rows = [...list.children];
  const titles = rows.map((row) => row.querySelector("h3").textContent.toLowerCase());
  const ids = rows.map((row) => row.querySelector(".id").textContent.toLowerCase());
  const boxes = index.facets.map((facet) => [...form.querySelectorAll(`[data-facet="${facet.key}"] input`)]);
  const terms = unpack(index.terms);
  const places = index.rules.split("\n");

  form.hidden = false;
  if (innerWidth < 960) for (const part of form.querySelectorAll("details")) part.open = false;

  // Each term stands behind the number of characters it shares with the one before.
  function unpack(text) {
    let last = [];
    return text.split("\n").map((line) => {
      last = last.slice(0, parseInt(line[0], 36)).concat([...line.slice(1)]);
      return last.join("");
    });
  }

  // The rules a term is in, as distances from one to the next.
  function rulesOf(place) {
    let at = 0;
    return places[place].split(" ").map((step) => (at += parseInt(step, 36)));
  }

  function words(text) {
    const runs = text.toLowerCase().match(/[\p{Alphabetic}\p{N}._-]+/gu) || [];
    return runs.map((run) => [...run.replace(/^[._-]+|[._-]+$/g, "")].slice(0, 32).join("")).filter(Boolean);
  }

  // Scores of the rules that have all words, any part of a word counting; null when nothing is asked.
  function search(text) {
    let found = null;
    for (const word of words(text)) {
      const scores = new Map();
      terms.forEach((term, place) => {
        const at = term.indexOf(word);
        if (at < 0) return;
        const score = term === word ? 6 : at === 0 ? 3 : 1;
        for (const rule of rulesOf(place)) scores.set(rule, Math.max(score, scores.get(rule) || 0));
      });
      for (const [rule, score] of scores) {
        if (found && !found.has(rule)) {
          scores.delete(rule);
          continue;
        }
        const extra = (titles[rule].includes(word) ? 10 : 0) + (ids[rule].includes(word) ? 8 : 0);
        scores.set(rule, score + extra + (found ? found.get(rule) : 0));
      }
      found = scores;
    }
    return found;
  }

  function show() {
    const scores = search(input.value);
    const chosen = boxes.map((group) => group.flatMap((box, place) => (box.checked ? [place] : [])));
    const fits = (rule, except) =>
      (!scores || scores.has(rule)) &&
      chosen.every((places, at) => at === except || !places.length || index.facets[at].of[rule].some((p) => places.includes(p)));

    const shown = rows.map((_, rule) => rule).filter((rule) => fits(rule, -1));
    const order = scores ? [...shown].sort((a, b) => scores.get(b) - scores.get(a) || a - b) : shown;
    const visible = new Set(shown);
    rows.forEach((row, rule) => (row.hidden = !visible.has(rule)));
    list.append(...order.map((rule) => rows[rule]));

    index.facets.forEach((facet, at) => {
      const counts = new Array(facet.values.length).fill(0);
      rows.forEach((_, rule) => {
        if (fits(rule, at)) for (const place of facet.of[rule]) counts[place] += 1;
      });
      boxes[at].forEach((box, place) => {
        const label = box.parentElement;
        label.querySelector(".count").textContent = counts[place];
        label.classList.toggle("zero", counts[place] === 0);
      });
    });

    const all = rows.length;
    document.getElementById("status").textContent =
      shown.length === all ? `${all} rule${all === 1 ? "" : "s"}` : `${shown.length} of ${all} rules`;
    document.getElementById("nothing").hidden = shown.length > 0;
  }

  // The search is part of the address, so that it can be kept and sent.
  function save() {
    const said = new URLSearchParams();
    if (input.value.trim()) said.set("q", input.value.trim());
    for (const box of boxes.flat()) if (box.checked) said.append(box.name, box.value);
    const hash = said.toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  }

  function load() {
    const hash = location.hash.slice(1);
    // Other fragments are places on the page.
    if (hash && !hash.includes("=")) return;
    const said = new URLSearchParams(hash);
    input.value = said.get("q") || "";
    for (const box of boxes.flat()) {
      box.checked = said.getAll(box.name).includes(box.value);
      if (box.checked) box.closest("details").open = true;
    }
    show();
  }

  const changed = () => {
    show();
    save();
  };
  input.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
  addEventListener("hashchange", load);
  show();
  load();
}
