// The stepper: walks one recorded execution, with the monologue that tells it.
//
// `createStepper(shape)` draws the JSON shape documented in docs/design/report.md and returns
// `{ element, show(index), move(by), index }`; the element sends a `stepper:step` event at every move.
// `monologueList(told, goTo)` draws a monologue alone.
//
// Values and texts come from untrusted programs and models: everything is written as text nodes, never as markup.
// No globals, no dependencies, no network; page.css holds the looks.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; strings become text nodes. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

// Control and direction characters could make code look like what it is not; they are shown as escapes.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const visible = (text) =>
  text.replace(UNSEEN, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));

const code = (text) => el("code", {}, visible(text));
const quiet = (text) => el("span", { class: "sr-only" }, text);

/** Prose and code in turn, as the shape's `pieces` have it. */
const prose = (pieces) => pieces.map((piece, k) => (k % 2 ? code(piece) : visible(piece))).filter((part) => part !== "");

// -- the monologue

const VERDICTS = new Map([[true, ["✓", "true"]], [false, ["✗", "false"]], [null, ["?", "not checked"]]]);

function claimMarks(claims) {
  const marks = el("span", { class: "marks", "aria-hidden": "true" });
  for (const claim of claims) {
    const [mark, word] = VERDICTS.get(claim.verdict);
    marks.append(el("span", { class: "mark " + word.replace(" ", "-"), title: `${word}: ${visible(claim.text)}` }, mark));
  }
  const right = claims.filter((claim) => claim.verdict === true).length;
  return [marks, quiet(` ${right} of ${claims.length} claims true. `)];
}

/** Claims that did not hold, or could not be checked, with what was true. */
function doubts(claims) {
  const list = el("ul", { class: "doubts" });
  for (const claim of claims) {
    if (claim.verdict === true) continue;
    const [mark, word] = VERDICTS.get(claim.verdict);
    const said = el("span", {}, `${mark} ${word}: `, ...spans(claim.text));
    const actual = claim.actual ? el("div", { class: "actual" }, "In fact: ", ...spans(claim.actual)) : "";
    list.append(el("li", { class: word.replace(" ", "-") }, said, actual));
  }
  return list.childElementCount ? [list] : [];
}

/** A short text with `code spans`. */
function spans(text) {
  return text.split(/(?<!`)`([^`]+)`(?!`)/).map((part, k) => (k % 2 ? code(part) : visible(part)));
}

/** The sentences of a monologue as a list; those that tell a step call `goTo(step)` when chosen. */
export function monologueList(told, goTo = null) {
  const list = el("ol", { class: "sentences" });
  for (const sentence of told.sentences) {
    const marks = sentence.claims.length ? [" ", ...claimMarks(sentence.claims)] : [];
    const text = [el("span", { class: "said" }, ...prose(sentence.pieces)), ...marks];
    const walks = goTo !== null && sentence.step !== null;
    const body = walks ? el("button", { type: "button", class: "sentence" }, ...text)
      : el("span", { class: "sentence" }, ...text);
    if (walks) body.addEventListener("click", () => goTo(sentence.step));
    list.append(el("li", {}, body, ...doubts(sentence.claims)));
  }
  return list;
}

/** "12 claims: ✓ 11 true, ✗ 1 false." */
export function claimsSummary(claims) {
  const total = claims.true + claims.false + claims.unjudged;
  if (!total) return "No claims were checked.";
  const rest = claims.unjudged ? `, ${claims.unjudged} not checked` : "";
  return `${total} ${total === 1 ? "claim" : "claims"}: ✓ ${claims.true} true, ✗ ${claims.false} false${rest}.`;
}

// -- the state at a step

/** Variables, stack and output once step `index` is over: the shape holds changes, this replays them. */
export function stateAt(shape, index) {
  const locals = new Map();
  const globals = new Map();
  const places = new Map();
  const stack = [];
  let printed = "";
  shape.steps.slice(0, index + 1).forEach((step) => {
    stack.length = Math.min(step.depth, stack.length);
    stack.push(step.frame);
    places.set(step.frame, { name: step.function, line: step.lines[0] });
    if (!locals.has(step.frame)) locals.set(step.frame, new Map());
    for (const change of step.changes) {
      const space = change.scope === "global" ? globals : locals.get(step.frame);
      if (change.new === null) space.delete(change.name);
      else space.set(change.name, change.new);
    }
    printed += step.printed;
  });
  const frame = shape.steps[index].frame;
  return { locals: locals.get(frame), globals, printed, stack: stack.map((id) => places.get(id)) };
}

/** Rows of the variables table: `[mark, word, name, value, old]`. */
function variableRows(step, state) {
  const rows = [];
  for (const [scope, space] of [["local", state.locals], ["global", state.globals]]) {
    const changes = new Map(step.changes.filter((c) => c.scope === scope).map((c) => [c.name, c]));
    const label = (name) => (scope === "global" ? `${name} (global)` : name);
    for (const [name, value] of space) {
      const change = changes.get(name);
      const [mark, word] = !change ? ["", ""] : change.old === null ? ["+", "new"] : ["●", "changed"];
      rows.push([mark, word, label(name), value, change ? change.old : null]);
    }
    for (const [name, change] of changes) {
      if (change.new === null) rows.push(["−", "gone", label(name), "", change.old]);
    }
  }
  return rows;
}

/** Rows of the values table: `[what, value]`, what a code text or a plain word. */
function valueRows(step) {
  const isTest = (part, before) => part.kind === "condition" && before?.text === part.text
    && before.value.toLowerCase() === part.value;
  // A comparison comes as its value and as the condition's truth: the same thing told twice.
  const told = step.expressions.filter((part, k) => !isTest(part, step.expressions[k - 1]));
  const rows = told.map((part) => {
    if (part.kind === "item") return ["item taken", part.value];
    if (part.kind === "yield") return ["yields", part.value];
    if (part.kind === "case") return [code(part.text), "matches"];
    return [code(part.text), part.value];
  });
  if (step.more_expressions) rows.push([`${step.more_expressions} more`, ""]);
  if (step.caught !== null) rows.push(["caught", step.caught]);
  if (step.returned !== null) rows.push([`${step.function} returns`, step.returned]);
  if (step.raised !== null) rows.push(["raised", step.raised]);
  return rows;
}

const KINDS = {
  call: () => "a call begins",
  iteration: (step) => `iteration ${step.count}`,
  test: (step) => `loop test ${step.count}`,
  exhausted: (step) => `loop over after ${step.count}`,
  catch: () => "an exception is caught",
  resume: () => "the line goes on",
};

function describe(shape, index) {
  const step = shape.steps[index];
  const kind = KINDS[step.kind] ? `, ${KINDS[step.kind](step)}` : "";
  return `Step ${index + 1} of ${shape.steps.length}: line ${step.lines[0]}, in ${step.function}${kind}`;
}

function outcomeText(outcome) {
  if (outcome.exception !== null) return ["raised ", code(outcome.exception)];
  if (outcome.value !== null) return ["returned ", code(outcome.value)];
  return [outcome.detail ? `${outcome.status}: ${visible(outcome.detail)}` : outcome.status];
}

// -- the parts of the stepper

function codePane(lines) {
  const list = el("ol", { class: "code", tabindex: "0", "aria-label": "Source code" });
  const rows = lines.map((line, k) => {
    const text = el("code", {}, visible(line) || " ");
    const indent = line.length - line.trimStart().length + 2; // a line that wraps goes on further in than it began
    text.style.paddingLeft = `${indent}ch`;
    text.style.textIndent = `-${indent}ch`;
    const row = el("li", {}, el("span", { class: "arrow", "aria-hidden": "true" }),
      el("span", { class: "number" }, String(k + 1)), text);
    list.append(row);
    return row;
  });
  return { list, rows };
}

/** Which line runs at each step: loops and recursion show as waves. The slider says the same to who cannot see it. */
function timeline(shape, goTo) {
  const lines = shape.steps.map((step) => step.lines[0]);
  const low = Math.min(...lines);
  const height = Math.max(...lines) - low + 1;
  const svg = document.createElementNS(SVG, "svg");
  const set = (node, values) => Object.entries(values).forEach(([name, value]) => node.setAttribute(name, value));
  set(svg, { viewBox: `0 -0.5 ${lines.length} ${height + 1}`, preserveAspectRatio: "none", class: "timeline", "aria-hidden": "true" });
  const cursor = document.createElementNS(SVG, "rect");
  set(cursor, { y: -0.5, width: 1, height: height + 1, class: "cursor" });
  const path = document.createElementNS(SVG, "path");
  set(path, { d: lines.map((line, k) => `M${k} ${line - low + 0.5}h1`).join(""), class: "walk" });
  svg.append(cursor, path);
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    goTo(Math.floor(((event.clientX - box.left) / box.width) * lines.length));
  });
  return { svg, mark: (index) => cursor.setAttribute("x", index) };
}

function controls(count) {
  const button = (label, text) => el("button", { type: "button", "aria-label": label, title: label }, text);
  const parts = {
    first: button("First step", "«"),
    back: button("Step back", "‹ Back"),
    next: button("Step forward", "Next ›"),
    last: button("Last step", "»"),
    slider: el("input", { type: "range", min: 0, max: count - 1, value: 0, "aria-label": "Step of the execution" }),
    status: el("p", { class: "status", role: "status" }),
  };
  const row = el("div", { class: "buttons" }, parts.first, parts.back, parts.slider, parts.next, parts.last);
  return { ...parts, row };
}

const emptyPane = (caption, text) => el("div", { class: "pane" }, el("h4", {}, caption), el("p", { class: "none" }, text));

/** What was evaluated and what it gave: side by side, or one below the other where either is long. */
function valuesPane(rows) {
  if (!rows.length) return emptyPane("Values in this step", "Nothing was evaluated.");
  const list = el("dl", { class: "values" });
  for (const [what, value] of rows) {
    const plain = value === "matches" || value === "";
    const long = (typeof what === "string" ? what : what.textContent).length + value.length > 32;
    list.append(el("div", { class: long ? "long" : null }, el("dt", {}, what), el("dd", {}, plain ? value : code(value))));
  }
  return el("div", { class: "pane" }, el("h4", {}, "Values in this step"), list);
}

/** A table with a caption; `rows` are lists of children, the first cell heads its row. */
function table(kind, caption, heads, rows, empty) {
  if (!rows.length) return emptyPane(caption, empty);
  const body = el("tbody");
  for (const row of rows) body.append(row);
  const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)));
  return el("div", { class: "pane " + kind }, el("h4", {}, caption),
    el("table", { "aria-label": caption }, el("thead", { class: "sr-only" }, head), body));
}

function statePanes(shape, index) {
  const step = shape.steps[index];
  const state = stateAt(shape, index);
  const variables = variableRows(step, state).map(([mark, word, name, value, old]) => el("tr", { class: word || null },
    el("td", { class: "sign" }, el("span", { "aria-hidden": "true" }, mark), quiet(word)),
    el("th", { scope: "row" }, code(name)),
    el("td", {}, word === "gone" ? el("span", { class: "was" }, "gone") : code(value),
      old === null ? "" : el("span", { class: "was" }, " was ", code(old)))));
  const stack = el("ol", { class: "stack" });
  state.stack.forEach((place, depth) => stack.append(el("li", { "aria-current": depth === state.stack.length - 1 ? "true" : null },
    code(place.name), ` at line ${place.line}`)));
  const depth = state.stack.length;
  return [
    table("variables", "Variables", ["What happened", "Name", "Value"], variables, "No variable is bound here."),
    valuesPane(valueRows(step)),
    el("div", { class: "pane" }, el("h4", {}, `Call stack, ${depth} deep`), stack),
    el("div", { class: "pane" }, el("h4", {}, "Printed so far"),
      state.printed ? el("pre", { class: "printed" }, visible(state.printed)) : el("p", { class: "none" }, "Nothing.")),
  ];
}

/** Scrolls a pane, and never the page, until a child is inside it. */
function reveal(pane, child) {
  const outer = pane.getBoundingClientRect();
  const inner = child.getBoundingClientRect();
  const top = inner.top - outer.top;
  if (top < 0 || inner.bottom > outer.bottom) pane.scrollTop += top - (outer.height - inner.height) / 2;
}

function monologuePane(told, goTo) {
  const pane = el("div", { class: "monologue", tabindex: "0", role: "region", "aria-label": "Monologue" });
  pane.append(el("h4", {}, "Monologue"));
  if (told === null) {
    pane.append(el("p", { class: "none" }, "There is none for this run."));
    return { pane, items: [] };
  }
  const list = monologueList(told, goTo);
  pane.append(el("p", { class: "summary" }, claimsSummary(told.claims)), list);
  if (told.omitted) pane.append(el("p", { class: "none" }, `${told.omitted} sentences about later steps are not shown.`));
  return { pane, items: [...list.children] };
}

function notes(shape) {
  const cut = shape.total_steps - shape.steps.length;
  const said = [];
  if (cut > 0) said.push(`Shown are the first ${shape.steps.length} of ${shape.total_steps} steps.`);
  if (shape.truncated) said.push("The recording stopped before the run did.");
  return said.map((text) => el("p", { class: "warning", role: "note" }, text));
}

/** Draws a shape; see the top of this file. */
export function createStepper(shape) {
  const element = el("div", { class: "stepper", role: "group", "aria-label": `Execution of ${visible(shape.call) || "the program"}` });
  const result = el("p", { class: "outcome" }, "The run ", ...outcomeText(shape.outcome), ".");
  if (!shape.steps.length) {
    element.append(result, el("p", { class: "none" }, "No step was recorded."));
    return { element, show() {}, move() {}, index: 0 };
  }
  const self = { element, index: -1, show, move: (by) => show(self.index + by) };
  const bar = controls(shape.steps.length);
  const waves = timeline(shape, show);
  const source = codePane(shape.source);
  const state = el("div", { class: "state" });
  const told = monologuePane(shape.monologue, show);
  let lit = [];
  let item = null;

  function show(wanted) {
    const index = Math.max(0, Math.min(shape.steps.length - 1, wanted));
    if (index === self.index) return;
    self.index = index;
    const step = shape.steps[index];
    light(step);
    state.replaceChildren(...statePanes(shape, index));
    waves.mark(index);
    bar.slider.value = String(index);
    bar.status.textContent = describe(shape, index);
    bar.slider.setAttribute("aria-valuetext", bar.status.textContent);
    for (const button of [bar.first, bar.back]) button.setAttribute("aria-disabled", String(index === 0));
    for (const button of [bar.next, bar.last]) button.setAttribute("aria-disabled", String(index === shape.steps.length - 1));
    element.dispatchEvent(new CustomEvent("stepper:step", { bubbles: true, detail: { index } }));
  }

  function light(step) {
    for (const row of lit) {
      row.removeAttribute("aria-current");
      row.querySelector(".arrow")?.replaceChildren();
    }
    const [first, last] = step.lines;
    lit = source.rows.slice(Math.max(0, first - 1), last);
    lit.forEach((row, k) => row.querySelector(".arrow").replaceChildren(k ? "│" : "▶"));
    item = step.sentence === null ? null : told.items[step.sentence];
    if (item) lit.push(item);
    for (const each of lit) each.setAttribute("aria-current", "step");
    revealLit();
  }

  function revealLit() {
    const [row] = lit;
    if (row && row !== item) reveal(source.list, row);
    if (item) reveal(told.pane, item);
  }

  bar.first.addEventListener("click", () => show(0));
  bar.back.addEventListener("click", () => self.move(-1));
  bar.next.addEventListener("click", () => self.move(1));
  bar.last.addEventListener("click", () => show(shape.steps.length - 1));
  bar.slider.addEventListener("input", () => show(Number(bar.slider.value)));
  element.addEventListener("keydown", (event) => {
    if (event.target !== bar.slider) stepByKey(self, shape.steps.length, event);
  });
  element.append(result, ...notes(shape), el("div", { class: "controls" }, bar.row, waves.svg, bar.status),
    el("div", { class: "panes" }, source.list, state, told.pane));
  show(0);
  new ResizeObserver(revealLit).observe(source.list); // also when it first gets a place on a page
  return self;
}

/** Left and right arrows, Home and End; with a modifier they keep the browser's meaning. */
export function stepByKey(stepper, count, event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const keys = {
    ArrowLeft: () => stepper.move(-1),
    ArrowRight: () => stepper.move(1),
    Home: () => stepper.show(0),
    End: () => stepper.show(count - 1),
  };
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
}
