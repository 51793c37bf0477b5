// What the tabs have in common: one run at a time, its problem or its result, and whether that is still of this program.

import { el, prose, visible } from "./stepper.js";
import { Problem } from "./net.js";

const FIELDS = {
  say: { output: "say-output", entry: "say-entry", text: "say-text" },
  debug: { expect: "debug-expect" },
};

/** `run(signal)` fills `result` and returns what it was asked, as text that tells one question from another. */
export function tab(name, program, { question, run }) {
  const form = document.getElementById(`${name}-form`);
  const problem = document.getElementById(`${name}-problem`);
  const result = document.getElementById(`${name}-result`);
  const button = form.querySelector(".go");
  const label = button.textContent;
  let answered = null;
  let running = null;

  function fail(error) {
    result.replaceChildren();
    problem.replaceChildren(el("p", {}, el("strong", {}, sentence(error.message)), error.hint ? ` ${sentence(error.hint)}` : ""));
    const own = FIELDS[name]?.[error.where?.field];
    for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    const place = document.getElementById(own ?? error.where?.field ?? "");
    if (place?.matches("input, textarea")) place.setAttribute("aria-invalid", "true");
    if (own) document.getElementById(own).focus();
    else program.point(error.where ?? {});
  }

  async function go() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const asked = question();
    problem.replaceChildren();
    result.setAttribute("aria-busy", "true");
    button.textContent = "Working …";
    try {
      await run(mine.signal, result);
      if (running !== mine) return;
      answered = asked;
      for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
      program.open(false);
    } catch (error) {
      if (error.name === "AbortError" || running !== mine) return;
      answered = asked;
      fail(error instanceof Problem ? error : new Problem({ error: `this page failed: ${error.message}` }));
      if (!(error instanceof Problem)) console.error(error);
    } finally {
      if (running === mine) {
        running = null;
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
    running?.abort();
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

/** A line of prose and code. */
export const line = (pieces, attributes = {}) => el("p", attributes, ...prose(pieces));
