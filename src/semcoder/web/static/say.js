// Say it: a monologue by execution, by a model, or by the visitor, each claim with its verdict.

import { claimsSummary, code, createStepper, el, monologueList, prose, visible } from "./stepper.js";
import { post, Problem, stream } from "./net.js";
import { isLocal, notes, sentence, tab } from "./tab.js";

const $ = (id) => document.getElementById(id);
const STYLES = [["forward", "sentences"], ["scratchpad", "scratchpad"], ["next", "code with states"], ["concise", "concise labels"], ["backward", "backward from its output"]];

const VERDICTS = new Map([[true, ["✓", "right"]], [false, ["✗", "wrong"]], [null, ["?", "not judged"]]]);

export function sayTab(program, model, onStepper) {
  for (const [value, label] of STYLES) $("say-style").append(new Option(label, value));
  $("say-by").querySelector('[value="model"]').textContent = `the model ${model.name}`;
  $("say-model").replaceChildren(...aboutModel(model));

  function asked() {
    const by = $("say-by").value;
    const backward = by !== "text" && $("say-direction").value === "backward";
    const way = backward ? { source: program.asked.source, output: $("say-output").value, entry: $("say-entry").value } : program.asked;
    if (by === "text") return ["/api/verify", { ...program.asked, text: $("say-text").value }];
    if (by === "model") return ["/api/predict", way];
    const told = backward ? {} : { style: $("say-style").value };
    return ["/api/explain", { ...way, ...told, detail: $("say-detail").value }];
  }

  function fields() {
    const by = $("say-by").value;
    const backward = by !== "text" && $("say-direction").value === "backward";
    $("say-direction-field").hidden = by === "text";
    $("say-output-field").hidden = $("say-entry-field").hidden = !backward;
    $("say-style-field").hidden = by !== "execution" || backward;
    $("say-detail-field").hidden = by !== "execution";
    $("say-text-field").hidden = by !== "text";
    $("say-model").hidden = by !== "model";
  }

  /** The stepper with the text beside it, or the text alone where it goes with no run. */
  function show(result, found, before) {
    const shown = [...before, ...notes(found.notes)];
    if (found.monologue) {
      const { claims } = found.monologue;
      shown.push(el("section", { class: "told", "aria-label": "Monologue" }, el("p", { class: "summary" }, claimsSummary(claims)),
        monologueList(found.monologue), found.answer ? el("p", { class: "outcome" }, "Its answer: ", code(found.answer)) : ""));
    }
    result.replaceChildren(...shown);
    if (!found.stepper) return;
    const stepper = createStepper(found.stepper);
    if (found.monologue) {
      result.append(el("h2", { class: "beside" }, "The run that it is about"));
      stepper.element.classList.add("untold");
    }
    result.append(stepper.element);
    onStepper(stepper, found.stepper.steps.length);
    if (found.first_false) stepper.tell(found.first_false.sentence);
  }

  async function ask(path, doc, signal, result) {
    const list = el("ol", { class: "sentences" });
    const status = el("p", { class: "none", role: "status" }, `${visible(model.name)} is thinking …`);
    result.replaceChildren(status, el("div", { class: "told", "aria-live": "polite" }, list));
    let verdict = null;
    await stream(path, doc, (event) => {
      if (event.event === "error") throw new Problem(event);
      if (event.event === "status") status.textContent = event.text;
      if (event.event === "verdict") verdict = event;
      if (event.event === "sentence") {
        status.textContent = `${model.name} is thinking …`;
        list.append(el("li", {}, ...prose(event.pieces)));
      }
    }, signal);
    if (verdict === null) throw new Problem({ error: "the model's answer broke off", hint: "try again" });
    show(result, verdict, [judgement(verdict, model)]);
  }

  const self = tab("say", program, {
    question: () => JSON.stringify(asked()),
    async run(signal, result) {
      const [path, doc] = asked();
      if (path === "/api/predict") await ask(path, doc, signal, result);
      else {
        const found = await post(path, doc, signal);
        show(result, found, path === "/api/verify" ? [checked(found)] : []);
      }
    },
  });
  for (const id of ["say-by", "say-direction"]) $(id).addEventListener("change", fields);
  for (const id of ["say-style", "say-detail"]) $(id).addEventListener("change", () => self.go());
  // What is shown is of another text or another speaker now.
  $("say-by").addEventListener("change", () => self.clear());
  $("say-text").addEventListener("input", () => self.clear());
  $("say-text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    self.go();
  });
  fields();
  return { go: self.go, clear: self.clear, get isStale() { return self.isStale; }, get isFree() { return $("say-by").value === "execution"; } };
}

/** What a model said, and what execution says of that. */
function judgement(verdict, model) {
  const [mark, word] = VERDICTS.get(verdict.right);
  const claims = (verdict.stepper?.monologue ?? verdict.monologue)?.claims;
  const truth = verdict.right === false && verdict.truth ? [" In truth ", verdict.direction === "forward" ? "the call gives " : "that call gives ", code(verdict.truth), "."] : [];
  const reason = verdict.right === null ? ` ${sentence(verdict.reason)}` : "";
  const answer = verdict.answer ? [" It says ", code(verdict.answer), "."] : [" It gives no answer."];
  return el("div", { class: `verdict ${word.replace(" ", "-")}` },
    el("p", { class: "headline" }, el("span", { "aria-hidden": "true" }, `${mark} `), `${model.name} is ${word}.`),
    el("p", {}, ...answer, ...truth, reason, verdict.cut ? " Its text was cut at the bound on its length." : ""),
    el("p", { class: "none" }, claims ? claimsSummary(claims) : ""));
}

function checked(found) {
  const { claims } = found.stepper.monologue;
  const wrong = claims.false > 0;
  const all = claims.true + claims.false + claims.unjudged;
  const said = claims.true + claims.false === 0 ? "Nothing in it could be checked."
    : wrong ? `It does not tell this run: ${claims.false} of its ${all} claims ${claims.false === 1 ? "is" : "are"} false.` : "It is true as far as it was checked.";
  return el("div", { class: `verdict ${wrong ? "wrong" : "right"}` },
    el("p", { class: "headline" }, el("span", { "aria-hidden": "true" }, wrong ? "✗ " : "✓ "), said));
}

function aboutModel(model) {
  if (model.problem) return [`${visible(model.name)} cannot be asked here: ${sentence(model.problem)}`];
  const sent = isLocal(model) ? "" : " The program and the question are sent to the model’s server.";
  if (!model.figures) return [`${visible(model.name)} is asked; what it says is then held against an execution.${sent}`];
  const { parameters, questions, percent, interval } = model.figures;
  return [
    el("strong", {}, model.name), ` is a transformer of ${(parameters / 1e6).toFixed(1)} million parameters that executes short functions in its head; it runs here, offline. `,
    `It answers ${percent} % of ${questions} benchmark questions (CRUXEval’s outputs) right, between ${interval[0]} and ${interval[1]} % with 95 % confidence. `,
    "It knows one function of plain Python at a time: no imports, classes or generators, short texts and lists, loops of fewer than 100 passes. ",
    "It is as sure of a wrong step as of a right one, so every claim is checked here.",
  ];
}
