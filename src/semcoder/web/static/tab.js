// What the tabs have in common: one run at a time, its problem or its result, and whether that is still of this program.

import { el, prose, visible } from "./stepper.js";
import { Problem } from "./net.js";

const FIELDS = {
  say: { output: "say-output", entry: "say-entry", text: "say-text" },
  debug: { expect: "debug-expect" },
};

// What the visitor has done on the page, counted: an answer that comes after more of it closes and moves nothing.
let deeds = 0;
for (const kind of ["input", "change", "keydown", "pointerdown"]) document.addEventListener(kind, () => { deeds += 1; }, true);

/** `run(signal, result)` fills `result`; `question()` is what it asks, as text that tells one question from another.
 *  The signal is aborted by the next run and by `clear`, also when this run is long over. */
export function tab(name, program, { question, run }) {
  const form = document.getElementById(`${name}-form`);
  const problem = document.getElementById(`${name}-problem`);
  const result = document.getElementById(`${name}-result`);
  const button = form.querySelector(".go");
  const label = button.textContent;
  const announced = document.getElementById("announced");
  let answered = null;
  let latest = null; // the controller of the run that is under way, or that made what is shown

  function fail(error, point) {
    result.replaceChildren();
    problem.replaceChildren(el("p", {}, el("strong", {}, sentence(error.message)), error.hint ? ` ${sentence(error.hint)}` : ""));
    const own = FIELDS[name]?.[error.where?.field];
    for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    const place = document.getElementById(own ?? error.where?.field ?? "");
    if (place?.matches("input, textarea")) place.setAttribute("aria-invalid", "true");
    if (!point) return;
    if (own) document.getElementById(own).focus();
    else program.point(error.where ?? {});
  }

  /** Closes the panel; focus in it goes on to the result, where the arrow keys walk. */
  function leave() {
    const inside = document.activeElement?.closest("#panel");
    program.open(false);
    const place = inside && result.querySelector(".stepper, .told");
    place?.setAttribute("tabindex", "-1");
    place?.focus({ preventScroll: true });
  }

  async function go() {
    latest?.abort();
    const mine = new AbortController();
    latest = mine;
    const asked = question();
    const before = deeds;
    problem.replaceChildren();
    announced.textContent = "";
    result.setAttribute("aria-busy", "true");
    button.textContent = "Working …";
    try {
      await run(mine.signal, result);
      if (latest !== mine) return;
      answered = asked;
      for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
      announced.textContent = result.querySelector(".headline, .outcome")?.textContent ?? "";
      if (deeds === before) leave();
    } catch (error) {
      if (error.name === "AbortError" || latest !== mine) return;
      answered = asked;
      fail(error instanceof Problem ? error : new Problem({ error: `this page failed: ${error.message}` }), deeds === before);
      if (!(error instanceof Problem)) console.error(error);
    } finally {
      if (latest === mine) {
        result.removeAttribute("aria-busy");
        button.textContent = label;
      }
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });
  /** Takes away what is of another program. */
  function clear() {
    latest?.abort();
    answered = null;
    problem.replaceChildren();
    result.replaceChildren();
  }

  return { go, clear, get isStale() { return answered !== question(); } };
}

export const sentence = (text) => {
  const said = visible(text.trim());
  return said && !/[.!?]$/.test(said) ? `${said}.` : said;
};

export const notes = (texts) => texts.map((text) => el("p", { class: "warning", role: "note" }, visible(text)));

/** Whether what a model is asked stays on the machine that serves this page. */
export const isLocal = (model) => model.local !== false;

/** A line of prose and code. */
export const line = (pieces, attributes = {}) => el("p", attributes, ...prose(pieces));
