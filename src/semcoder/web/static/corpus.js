// Corpus: rows of a build folder, filtered and searched; one program with its cases and monologues; drops by reason.

import { code, createStepper, el, prose, visible } from "./stepper.js";
import { get, post, Problem } from "./net.js";
import { notes, sentence } from "./tab.js";

const KINDS = { nl: "description", forward: "forward", backward: "backward", repair: "repair" };
const FILTERS = [["kind", "Kind"], ["construct", "Construct"], ["licence", "Licence"], ["project", "Project"]];

export function corpusTab(folders, program, onStepper) {
  const result = document.getElementById("corpus-result");
  const problem = document.getElementById("corpus-problem");
  const wanted = { q: "", page: 0 };
  let running = null;
  let drawn = null;

  async function load(path) {
    running?.abort();
    running = new AbortController();
    return get(path, running.signal);
  }

  /** Shows what the address names: `FOLDER`, `FOLDER/drops`, `FOLDER/PROGRAM`. */
  async function open(parts) {
    const number = Number(parts[0] || 0);
    if (!folders.length) {
      problem.replaceChildren();
      result.replaceChildren(el("div", { class: "empty" }, el("h2", {}, "No corpus is open"),
        el("p", {}, "Start the page with the output folder of a build to browse its programs, cases, monologues and drops:"),
        el("pre", { class: "config" }, "semcoder ui --corpus runs/demo")));
      return;
    }
    await attempt(() => {
      result.replaceChildren(el("p", { class: "none", role: "status" }, "Reading the folder …"));
      if (parts[1] === "drops") return drops(number, 0, "");
      return parts[1] ? one(number, parts[1]) : list(number);
    });
  }

  /** Does what draws the tab; where that fails, the tab says why. */
  async function attempt(draw) {
    problem.replaceChildren();
    try {
      await draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) console.error(error);
      drawn = null;
      result.replaceChildren();
      problem.replaceChildren(el("p", {}, el("strong", {}, sentence(error.message)), " ", sentence(error.hint ?? "")));
    }
  }

  // -- the list

  async function list(number) {
    const summary = await load(`/api/corpus/${number}`);
    if (drawn !== number) {
      drawn = number;
      Object.assign(wanted, { q: "", page: 0, kind: "", construct: "", licence: "", project: "" });
    }
    const body = el("div", { "aria-live": "polite" });
    result.replaceChildren(head(number, summary), filters(number, summary, () => rows(number, body)), body);
    await rows(number, body);
  }

  function head(number, summary) {
    const choose = el("select", { "aria-label": "Corpus" });
    folders.forEach((name, k) => choose.append(new Option(name, String(k), k === number, k === number)));
    choose.addEventListener("change", () => { location.hash = `corpus/${choose.value}`; });
    const title = folders.length > 1 ? choose : el("h2", { class: "folder" }, visible(summary.name));
    const cut = summary.cut ? " Only its first rows are read." : "";
    return el("div", { class: "corpus-head" }, title,
      el("p", { class: "none" }, `${count(summary.rows, "row")} of ${count(summary.programs, "program")}.${cut} `,
        summary.drops ? el("a", { href: `#corpus/${number}/drops` }, `${count(summary.drops, "drop")}, by reason`) : ""));
  }

  function filters(number, summary, again) {
    const form = el("form", { class: "options", role: "search" });
    const search = el("input", { type: "search", value: wanted.q, placeholder: "a name, a call, a sentence", id: "corpus-search" });
    let waiting = 0;
    const go = () => {
      wanted.q = search.value;
      wanted.page = 0;
      again();
    };
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(go, 250);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(waiting);
      go();
    });
    form.append(el("label", { class: "field grows" }, el("span", {}, "Search"), search));
    for (const [name, label] of FILTERS) {
      const select = el("select", {}, new Option("any", ""));
      for (const { value, count: n } of summary.facets[name]) select.append(new Option(`${KINDS[value] ?? value} (${n.toLocaleString("en")})`, value));
      select.value = wanted[name] ?? "";
      if (select.selectedIndex < 0) wanted[name] = select.value = ""; // no row has it any more
      select.addEventListener("change", () => {
        wanted[name] = select.value;
        wanted.page = 0;
        again();
      });
      form.append(el("label", { class: "field" }, el("span", {}, label), select));
    }
    return form;
  }

  async function rows(number, body) {
    try {
      const found = await load(`/api/corpus/${number}/rows?${new URLSearchParams(wanted)}`);
      const items = found.rows.map((row) => el("li", {},
        el("a", { href: `#corpus/${number}/${row.program}`, class: "call" }, code(row.call || row.entry)),
        el("span", { class: "meta" }, el("span", { class: "kind" }, KINDS[row.kind] ?? row.kind), `${visible(row.project)} · ${visible(row.licence)} · ${count(row.lines, "line")}`,
          row.claims ? ` · ✓ ${count(row.claims, "claim")} checked` : "")));
      const list = found.rows.length ? el("ol", { class: "rows" }, ...items) : el("p", { class: "none" }, "No row fits.");
      body.replaceChildren(el("p", { class: "summary" }, `${count(found.total, "row")} found.`), list,
        pager(found, (page) => {
          wanted.page = page;
          rows(number, body);
        }));
    } catch (error) {
      if (error.name !== "AbortError") body.replaceChildren(el("p", { class: "problem" }, sentence(error.message)));
    }
  }

  function pager(found, turn) {
    if (found.pages < 2) return "";
    const button = (label, page, on) => {
      const node = el("button", { type: "button", class: "quiet", disabled: !on }, label);
      node.addEventListener("click", () => turn(page));
      return node;
    };
    return el("nav", { class: "pager", "aria-label": "Pages" }, button("‹ Earlier", found.page - 1, found.page > 0),
      el("span", {}, `Page ${found.page + 1} of ${found.pages.toLocaleString("en")}`), button("Later ›", found.page + 1, found.page + 1 < found.pages));
  }

  // -- one program

  async function one(number, id) {
    const found = await load(`/api/corpus/${number}/programs/${encodeURIComponent(id)}`);
    const origin = found.origin;
    const facts = el("dl", { class: "facts" });
    const from = [origin.project, origin.version].filter(Boolean).join(" ") || origin.source;
    const where = [origin.path, origin.line || ""].filter(Boolean).join(":");
    for (const [name, value] of [["From", `${from} ${where}`], ["Licence", found.licence], ["Made of", found.constructs.join(", ")], ["Program", found.id]]) {
      if (value.trim()) facts.append(el("dt", {}, name), el("dd", {}, visible(value)));
    }
    const title = el("h2", { class: "folder", tabindex: "-1" }, code(found.entry));
    result.replaceChildren(el("p", {}, el("a", { href: `#corpus/${number}` }, "‹ All rows")), title, facts,
      el("pre", { class: "config listing", tabindex: "0", "aria-label": "Source code" }, visible(found.source)),
      cases(found), ...notes(found.total > found.rows.length ? [`Shown are the first ${found.rows.length.toLocaleString("en")} of its ${count(found.total, "row")}.`] : []),
      ...found.rows.map((row) => rowPart(found, row)));
    title.focus();
  }

  function walk(found, call, output) {
    const button = el("button", { type: "button", class: "quiet" }, "Walk it");
    button.setAttribute("aria-label", `Walk ${call}`);
    button.addEventListener("click", () => {
      program.take({ source: found.source, call, output: output ?? "" });
      location.hash = "step";
    });
    return button;
  }

  function cases(found) {
    const all = [...found.cases, ...found.raises.map((each) => ({ ...each, output: null }))];
    if (!all.length) return "";
    const table = el("tbody");
    for (const { call, output } of all) {
      table.append(el("tr", {}, el("td", {}, code(call)), el("td", {}, output === null ? "raises" : code(output)), el("td", {}, walk(found, call, output))));
    }
    const heads = el("tr", {}, ...["Call", "Gives", ""].map((text) => el("th", { scope: "col" }, text)));
    return el("section", { "aria-label": "Cases" }, el("h3", {}, "Cases"),
      el("div", { class: "scroll" }, el("table", { class: "figures cases" }, el("thead", {}, heads), table)));
  }

  function rowPart(found, row) {
    const part = el("section", { class: "row", "aria-label": `${KINDS[row.kind]} row` },
      el("h3", {}, `${KINDS[row.kind][0].toUpperCase()}${KINDS[row.kind].slice(1)}`, row.kind === "nl" ? "" : ": ", row.kind === "nl" ? "" : code(row.call)));
    if (row.sentences.length) {
      const how = row.found_by ? ` Found by ${row.found_by}.` : "";
      const list = el("ol", { class: "sentences" }, ...row.sentences.map((pieces) => el("li", {}, ...prose(pieces))));
      part.append(el("p", { class: "summary" }, `${count(row.claims, "claim")} checked when it was built, with Python ${row.python}.${how}`), list,
        el("p", { class: "outcome" }, "Its answer: ", code(row.answer)), again(found, row, list));
    } else {
      part.append(el("pre", { class: "config", tabindex: "0" }, visible(row.prompt)), el("pre", { class: "config", tabindex: "0" }, visible(row.response)));
    }
    return part;
  }

  /** Runs a row once more: its claims with their verdicts, in the stepper. */
  function again(found, row, list) {
    if (row.kind !== "forward") return row.kind === "backward" ? walk(found, row.call, row.output) : "";
    const button = el("button", { type: "button", class: "quiet" }, "Run it and check each claim");
    button.addEventListener("click", async () => {
      button.disabled = true;
      button.textContent = "Working …";
      try {
        const told = await post("/api/verify", { source: found.source, call: row.call, text: row.text });
        const stepper = createStepper(told.stepper);
        list.replaceWith(...notes(told.notes), stepper.element);
        onStepper(stepper, told.stepper.steps.length);
        button.remove();
      } catch (error) {
        button.replaceWith(el("p", { class: "problem" }, sentence(error.message), " ", sentence(error.hint ?? "")));
      }
    });
    return button;
  }

  // -- drops

  async function drops(number, page, reason) {
    const found = await load(`/api/corpus/${number}/drops?${new URLSearchParams({ page, reason })}`);
    const most = Math.max(1, ...found.reasons.map((each) => each.count));
    const table = el("tbody");
    for (const each of found.reasons) {
      const choose = el("button", { type: "button", class: "asks", "aria-pressed": String(each.reason === reason) }, visible(each.reason));
      choose.addEventListener("click", () => attempt(() => drops(number, 0, each.reason === reason ? "" : each.reason)));
      table.append(el("tr", { class: each.reason === reason ? "current" : null }, el("th", { scope: "row" }, choose), el("td", { class: "number" }, each.count.toLocaleString("en")), el("td", { class: "bar" }, bar(each.count / most))));
    }
    const items = found.drops.map((drop) => el("li", {}, el("span", { class: "call" }, code([drop.path, drop.line || ""].filter(Boolean).join(":") || drop.entry || "?")),
      el("span", { class: "meta" }, [drop.reason, drop.detail, drop.entry, drop.project].filter(Boolean).map(visible).join(" · "))));
    const listed = el("div", {}, el("h3", {}, reason ? visible(reason) : "All of them"), el("p", { class: "summary" }, `${count(found.total, "drop")}.`),
      el("ol", { class: "rows" }, ...items), pager(found, (to) => attempt(() => drops(number, to, reason))));
    result.replaceChildren(el("p", {}, el("a", { href: `#corpus/${number}` }, "‹ All rows")), el("h2", { class: "folder" }, "Dropped, by reason"),
      el("div", { class: "columns" }, el("div", { class: "scroll" }, el("table", { class: "figures reasons", "aria-label": "Drops by reason" }, table)), listed));
  }

  return { open };
}

/** A bar as long as a share. */
function bar(share) {
  const node = (name, values) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
    return made;
  };
  const svg = node("svg", { width: "100%", height: 10, "aria-hidden": "true" });
  svg.append(node("rect", { class: "bar-fill", height: 10, width: `${Math.max(0.5, 100 * share)}%` }));
  return svg;
}

const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
