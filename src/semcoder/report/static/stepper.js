// The stepper: walks one recorded execution, with the monologue that tells it.
//
// `createStepper(shape)` draws the JSON shape documented in docs/design/report.md and returns
// `{ element, show(index), move(by), tell(sentence), index }`; the element sends a `stepper:step` event at every move.
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
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
export const visible = (text) =>
  text.replace(UNSEEN, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));

export const code = (text) => el("code", {}, visible(text));
const quiet = (text) => el("span", { class: "sr-only" }, text);

/** Prose and code in turn, as the shape's `pieces` have it. */
export const prose = (pieces) => pieces.map((piece, k) => (k % 2 ? code(piece) : visible(piece))).filter((part) => part !== "");

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
  const wrong = told.sentences.findIndex((sentence) => sentence.claims.some((claim) => claim.verdict === false));
  for (const [place, sentence] of told.sentences.entries()) {
    const marks = sentence.claims.length ? [" ", ...claimMarks(sentence.claims)] : [];
    const text = [el("span", { class: "said" }, ...prose(sentence.pieces)), ...marks];
    const walks = goTo !== null && sentence.step !== null;
    const body = walks ? el("button", { type: "button", class: "sentence" }, ...text)
      : el("span", { class: "sentence" }, ...text);
    if (walks) body.addEventListener("click", () => goTo(sentence.step));
    const flag = place === wrong ? [el("span", { class: "flag" }, "First false step")] : [];
    list.append(el("li", { class: place === wrong ? "first-false" : null }, ...flag, body, ...doubts(sentence.claims)));
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

/** Rows of the values table: `[what, value, place]`, what a code text or a plain word. */
function valueRows(step) {
  const isTest = (part, before) => part.kind === "condition" && before?.text === part.text
    && before.value.toLowerCase() === part.value;
  // A comparison comes as its value and as the condition's truth: the same thing told twice.
  const told = step.expressions.filter((part, k) => !isTest(part, step.expressions[k - 1]));
  const rows = told.map((part) => {
    if (part.kind === "item") return ["item taken", part.value, part.at];
    if (part.kind === "yield") return ["yields", part.value, part.at];
    if (part.kind === "case") return [code(part.text), "matches", part.at];
    return [code(part.text), part.value, part.at];
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

const ENDS = { timeout: "was stopped", memory: "was stopped", output_limit: "was stopped", exited: "ended itself", returned: "came to its end" };

function outcomeText(outcome) {
  if (outcome.exception !== null) return ["raised ", code(outcome.exception)];
  if (outcome.value !== null) return ["returned ", code(outcome.value)];
  const how = ENDS[outcome.status] ?? `ended as ${outcome.status}`;
  return [outcome.detail ? `${how}: ${visible(outcome.detail)}` : how];
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

// -- the values of what stands in the current line

const placeName = (at) => at.join(",");

/** What each piece of code gave in a step, by its place; a comprehension's pieces give a value for every item. */
function valuesByPlace(step) {
  const found = new Map();
  for (const part of step.expressions) {
    if (!part.at || part.kind === "case" || part.kind === "yield") continue;
    const name = placeName(part.at);
    if (!found.has(name)) found.set(name, { at: part.at, text: part.text, values: [] });
    const { values } = found.get(name);
    if (part.kind !== "condition" || values.at(-1)?.toLowerCase() !== part.value) values.push(part.value);
  }
  return found;
}

/** The text of a line with its pieces as elements one inside the other. */
function pieced(line, pieces) {
  const ordered = [...pieces].sort((a, b) => a.at[1] - b.at[1] || b.at[3] - a.at[3]);
  const fill = (parent, from, to) => {
    let at = from;
    while (ordered.length && ordered[0].at[1] < to) {
      const piece = ordered.shift();
      const [, start, , end] = piece.at;
      if (start < at || end > to) continue;
      const inner = el("span", { class: "piece", "data-place": placeName(piece.at) });
      fill(inner, start, end);
      parent.append(visible(line.slice(at, start)), inner);
      at = end;
    }
    parent.append(visible(line.slice(at, to)));
  };
  const all = document.createDocumentFragment();
  fill(all, 0, line.length);
  return all;
}

/** Shows the value of the piece that is pointed at in the lit lines, or chosen in the list of values. */
function lens(lines, rows) {
  const bubble = el("span", { class: "bubble", role: "status" });
  let values = new Map();
  let dressed = [];

  function dress(step) {
    for (const k of dressed) rows[k].querySelector("code").replaceChildren(visible(lines[k]) || " ");
    bubble.remove();
    values = valuesByPlace(step);
    const [first, last] = step.lines;
    dressed = [];
    for (let k = Math.max(0, first - 1); k < Math.min(last, lines.length); k += 1) {
      const pieces = [...values.values()].filter(({ at }) => at[0] === k + 1 && at[2] === k + 1);
      if (!pieces.length) continue;
      rows[k].querySelector("code").replaceChildren(pieced(lines[k], pieces));
      dressed.push(k);
    }
  }

  function choose(name) {
    for (const k of dressed) rows[k].querySelectorAll(".chosen").forEach((piece) => piece.classList.remove("chosen"));
    bubble.remove();
    if (!values.has(name)) return;
    const { at, values: given } = values.get(name);
    const row = rows[at[0] - 1];
    const piece = row?.querySelector(`[data-place="${name}"]`);
    if (!piece) return;
    piece.classList.add("chosen");
    const shown = given.slice(0, 6).flatMap((value, k) => [k ? ", " : "", code(value)]);
    bubble.replaceChildren("→ ", ...shown, given.length > 6 ? ` … ${given.length} in all` : "");
    row.append(bubble);
    const box = row.getBoundingClientRect();
    const left = Math.min(piece.getBoundingClientRect().left - box.left, box.width - bubble.offsetWidth - 4);
    bubble.style.left = `${Math.max(4, left)}px`;
    bubble.classList.toggle("above", at[0] === rows.length && rows.length > 1);
  }

  return { dress, choose };
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

/** The runs of each loop over the same time line, one row a loop: which iteration it is, and ways to another one. */
function loopRows(shape, goTo) {
  const byLine = new Map();
  for (const run of shape.loops ?? []) {
    if (!byLine.has(run.line)) byLine.set(run.line, []);
    byLine.get(run.line).push(run);
  }
  const all = [...byLine.values()].filter((runs) => runs.some((run) => run.iterations.length));
  const rows = all.slice(0, LOOP_ROWS).map((runs) => loopRow(runs, shape.steps.length, goTo));
  const notes = all.length > LOOP_ROWS ? [el("p", { class: "none" }, `${all.length - LOOP_ROWS} more loops are not drawn.`)] : [];
  return { elements: [...rows.flatMap((row) => row.elements), ...notes], rows };
}

const LOOP_ROWS = 5;
const CROWD = 120; // iterations from which there is no room for a line between them

function loopRow(runs, count, goTo) {
  const { kind, line, function: name } = runs[0];
  const marks = [];
  for (const run of runs) {
    run.iterations.forEach((from, k) => marks.push({ run, from, to: run.iterations[k + 1] ?? run.last + 1, number: k + 1 }));
  }
  marks.sort((a, b) => a.from - b.from);
  const button = (label, text) => el("button", { type: "button", "aria-label": `${label} iteration of the ${kind} loop in line ${line}`, title: `${label} iteration` }, text);
  const back = button("Previous", "‹");
  const next = button("Next", "›");
  const at = el("span", { class: "loop-at" });
  const label = el("div", { class: "loop-name" }, el("span", {}, code(kind), ` in line ${line}`), back, at, next);
  const track = trackOf(marks, count, goTo, `${kind} loop in line ${line} of ${name}`);
  let current = -1;

  function mark(index) {
    // Of a loop that runs inside itself, by recursion, the innermost iteration counts.
    current = marks.findLastIndex(({ from, to }) => from <= index && index < to);
    const here = marks[current];
    at.textContent = here ? `${here.number} of ${here.run.iterations.length}` : "not in it";
    track.light(current);
    back.setAttribute("aria-disabled", String(!marks.some(({ from }) => from < index)));
    next.setAttribute("aria-disabled", String(!marks.some(({ from }) => from > index)));
    return here ?? null;
  }

  function move(index, by) {
    const to = by > 0 ? marks.find(({ from }) => from > index)
      : marks.findLast(({ from }) => from < (current >= 0 ? Math.min(index, marks[current].from) : index));
    if (to) goTo(to.from);
    else if (by < 0 && current >= 0) goTo(marks[current].from);
  }

  return { elements: [label, track.svg], mark, move, back, next };
}

function trackOf(marks, count, goTo, label) {
  const svg = document.createElementNS(SVG, "svg");
  const set = (node, values) => Object.entries(values).forEach(([name, value]) => node.setAttribute(name, value));
  const kind = marks.length > CROWD ? "track crowded" : "track";
  set(svg, { viewBox: `0 0 ${count} 1`, preserveAspectRatio: "none", class: kind, "aria-hidden": "true" });
  const rects = marks.map(({ run, from, to, number }) => {
    const rect = document.createElementNS(SVG, "rect");
    set(rect, { x: from, y: 0, width: Math.max(to - from, 0.5), height: 1, class: "lap" });
    const title = document.createElementNS(SVG, "title");
    title.textContent = `${label}: iteration ${number} of ${run.iterations.length}`;
    rect.append(title);
    rect.addEventListener("click", () => goTo(from));
    svg.append(rect);
    return rect;
  });
  return { svg, light: (which) => rects.forEach((rect, k) => rect.classList.toggle("lit", k === which)) };
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
  for (const [what, value, at] of rows) {
    const plain = value === "matches" || value === "";
    const long = (typeof what === "string" ? what : what.textContent).length + value.length > 26;
    const asked = at ? el("button", { type: "button", class: "asks", "data-place": placeName(at), title: "Show it in the line" }, what) : what;
    list.append(el("div", { class: long ? "long" : null }, el("dt", {}, asked), el("dd", {}, plain ? value : code(value))));
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
  if (cut > 0) said.push(`Shown are the first ${shape.steps.length.toLocaleString("en")} of ${shape.total_steps.toLocaleString("en")} steps.`);
  if (shape.truncated) said.push("The recording stopped before the run did.");
  return said.length ? [el("p", { class: "warning", role: "note" }, said.join(" "))] : [];
}

/** Draws a shape; see the top of this file. */
export function createStepper(shape) {
  const element = el("div", { class: "stepper", role: "group", "aria-label": `Execution of ${visible(shape.call) || "the program"}` });
  const result = el("p", { class: "outcome" }, "The run ", ...outcomeText(shape.outcome), ".");
  if (!shape.steps.length) {
    element.append(result, el("p", { class: "none" }, "No step was recorded."));
    return { element, show() {}, move() {}, turn() {}, tell() {}, index: 0 };
  }
  const self = { element, index: -1, show, move: (by) => show(self.index + by), turn, tell };
  const bar = controls(shape.steps.length);
  const waves = timeline(shape, show);
  const source = codePane(shape.source);
  const glass = lens(shape.source, source.rows);
  const loops = loopRows(shape, show);
  const state = el("div", { class: "state" });
  const told = monologuePane(shape.monologue, show);
  let lit = [];
  let item = null;

  function show(wanted) {
    const index = Math.max(0, Math.min(shape.steps.length - 1, wanted));
    if (index === self.index) return;
    self.index = index;
    const step = shape.steps[index];
    glass.dress(step);
    light(step, step.sentence === null ? null : told.items[step.sentence]);
    state.replaceChildren(...statePanes(shape, index));
    waves.mark(index);
    for (const row of loops.rows) row.mark(index);
    bar.slider.value = String(index);
    bar.status.textContent = describe(shape, index);
    bar.slider.setAttribute("aria-valuetext", bar.status.textContent);
    for (const button of [bar.first, bar.back]) button.setAttribute("aria-disabled", String(index === 0));
    for (const button of [bar.next, bar.last]) button.setAttribute("aria-disabled", String(index === shape.steps.length - 1));
    element.dispatchEvent(new CustomEvent("stepper:step", { bubbles: true, detail: { index } }));
  }

  /** The previous or next iteration of the innermost loop that runs, or of the first one where none does. */
  function turn(by) {
    const inside = loops.rows.filter((row) => row.mark(self.index));
    const starts = (row) => row.mark(self.index).from;
    const row = inside.length ? inside.reduce((a, b) => (starts(b) >= starts(a) ? b : a)) : loops.rows[0];
    row?.move(self.index, by);
  }

  /** Lights a sentence, and the step that it tells. */
  function tell(sentence) {
    const { step } = shape.monologue.sentences[sentence];
    if (step !== null) show(step);
    light(shape.steps[self.index], told.items[sentence]);
  }

  function light(step, sentence) {
    for (const row of lit) {
      row.removeAttribute("aria-current");
      row.querySelector(".arrow")?.replaceChildren();
    }
    const [first, last] = step.lines;
    lit = source.rows.slice(Math.max(0, first - 1), last);
    lit.forEach((row, k) => row.querySelector(".arrow").replaceChildren(k ? "│" : "▶"));
    item = sentence;
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
  for (const row of loops.rows) {
    row.back.addEventListener("click", () => row.move(self.index, -1));
    row.next.addEventListener("click", () => row.move(self.index, 1));
  }
  const pointed = (event) => {
    const name = event.target.closest("[data-place]")?.dataset.place;
    if (name || event.type !== "focusin") glass.choose(name);
  };
  for (const pane of [source.list, state]) {
    for (const kind of ["mouseover", "mouseleave", "focusin", "click"]) pane.addEventListener(kind, pointed);
  }
  element.addEventListener("keydown", (event) => {
    if (event.target !== bar.slider || event.shiftKey) stepByKey(self, shape.steps.length, event);
  });
  const lines = el("div", { class: "timelines" }, el("div", { class: "loop-name" }, "Lines over time"), waves.svg, ...loops.elements);
  element.append(result, ...notes(shape), el("div", { class: "controls" }, bar.row, bar.status), lines,
    el("div", { class: "panes" }, source.list, state, told.pane));
  show(0);
  new ResizeObserver(revealLit).observe(source.list); // also when it first gets a place on a page
  return self;
}

/** Left and right arrows, with Shift by iterations, Home and End; else with a modifier they are the browser's. */
export function stepByKey(stepper, count, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const keys = event.shiftKey ? { ArrowLeft: () => stepper.turn(-1), ArrowRight: () => stepper.turn(1) } : {
    ArrowLeft: () => stepper.move(-1),
    ArrowRight: () => stepper.move(1),
    Home: () => stepper.show(0),
    End: () => stepper.show(count - 1),
  };
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
}
