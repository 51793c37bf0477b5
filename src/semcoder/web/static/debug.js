// Debug: a call that gives the wrong value, what happened, and where the wrong value came up.

import { code, createStepper, el, visible } from "./stepper.js";
import { post, Problem } from "./net.js";
import { isLocal, line, notes, sentence, tab } from "./tab.js";

const $ = (id) => document.getElementById(id);
const CAME_UP = { value: "Where the wrong value is first seen", exception: "Where the exception comes up", suspect: "The step that speaks against it most" };

export function debugTab(program, model, onStepper) {
  const asked = () => ({ ...program.asked, expect: $("debug-expect").value });

  /** What was found for `doc`; a patch is asked for that, whatever the fields say by then. */
  function show(result, found, doc, signal) {
    const stepper = createStepper(found.stepper);
    const head = el("div", { class: `verdict ${found.passes ? "right" : "wrong"}` },
      el("p", { class: "headline" }, el("span", { "aria-hidden": "true" }, found.passes ? "✓ " : "✗ "),
        found.passes ? "It gives what it should: there is nothing to explain." : "It does not give what it should."),
      el("dl", { class: "got" }, el("div", {}, el("dt", {}, "It gives"), el("dd", {}, code(found.got))),
        el("div", {}, el("dt", {}, "It should give"), el("dd", {}, code(found.wanted)))));
    const shown = [head, ...notes(found.notes)];
    if (found.lines.length) {
      const wrong = found.first_wrong;
      const jump = wrong ? [el("button", { type: "button", class: "quiet", id: "first-wrong" }, `${CAME_UP[wrong.what]}: step ${wrong.step + 1}, line ${wrong.line}`)] : [];
      jump[0]?.addEventListener("click", () => stepper.show(wrong.step));
      shown.push(el("section", { class: "duck", "aria-label": "What happened" }, el("h2", {}, "What happened"),
        ...found.lines.map((pieces, k) => line(pieces, { class: k ? null : "lead" })), el("p", { class: "jumps" }, ...jump), repairPart(doc, signal)));
      if (wrong) stepper.show(wrong.step);
    }
    result.replaceChildren(...shown, stepper.element);
    onStepper(stepper, found.stepper.steps.length);
  }

  function repairPart(doc, signal) {
    if (!model.writes_code) {
      const why = model.problem || `${model.name} tells executions and writes no code`;
      return el("p", { class: "none" }, `For a patch, start the page with a model that writes code (semcoder ui --model openai:NAME@URL): ${sentence(why)}`);
    }
    const place = el("div", { class: "repair" });
    const sent = isLocal(model) ? [] : [el("p", { class: "hint" }, "The program and the call are sent to the model’s server.")];
    const button = el("button", { type: "button", class: "quiet" }, `Ask ${visible(model.name)} for a patch`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      place.replaceChildren(el("p", { class: "none", role: "status" }, "Asking, and testing what comes …"));
      try {
        place.replaceChildren(...patch(await post("/api/repair", doc, signal), doc));
      } catch (error) {
        if (error.name === "AbortError") return;
        if (!(error instanceof Problem)) throw error;
        place.replaceChildren(el("p", { class: "problem" }, sentence(error.message), " ", sentence(error.hint)));
      } finally {
        button.disabled = false;
      }
    });
    return el("div", {}, button, ...sent, place);
  }

  function patch(found, doc) {
    const rounds = found.rounds === 1 ? "one try" : `${found.rounds} tries`;
    if (!found.passes) {
      return [el("p", { class: "verdict wrong" }, `✗ No patch passed in ${rounds}.`), ...found.refused.map((why) => el("p", { class: "none" }, sentence(why)))];
    }
    const rows = found.diff.split("\n").map((row) => el("span", { class: { "+": "added", "-": "removed" }[row[0]] ?? null }, `${visible(row)}\n`));
    const use = el("button", { type: "button", class: "quiet" }, "Use the patched program");
    use.addEventListener("click", () => {
      program.take({ source: found.source, call: doc.call, output: doc.expect });
      self.go();
    });
    return [el("p", { class: "verdict right" }, `✓ With this patch the call gives what it should (tested here, ${rounds}).`),
      el("p", {}, visible(found.cause)), el("pre", { class: "diff", tabindex: "0" }, ...rows), use];
  }

  const self = tab("debug", program, {
    question: () => JSON.stringify(asked()),
    async run(signal, result) {
      const doc = asked();
      show(result, await post("/api/debug", doc, signal), doc, signal);
    },
  });
  return self;
}
