// The page: which tab, which example, and who gets the arrow keys. The address names a tab and an example, never code.

import { el, stepByKey } from "./stepper.js";
import { corpusTab } from "./corpus.js";
import { debugTab } from "./debug.js";
import { get, Problem } from "./net.js";
import { OWN, programPanel } from "./program.js";
import { sayTab } from "./say.js";
import { stepTab } from "./step.js";
import { isLocal, sentence } from "./tab.js";

const $ = (id) => document.getElementById(id);
const TABS = ["step", "say", "debug", "corpus"];
const START = { step: "balance", say: "balance", debug: "stretch" };

function start(about, examples) {
  const steppers = new Map(); // by tab: the one that the arrow keys walk while nothing is focused
  let shown = "";

  const program = programPanel(examples, {
    onRun: () => tabs[shown]?.go(),
    onExample() {
      address();
      run();
    },
  });
  const keep = (name) => (stepper, count) => steppers.set(name, { stepper, count });
  const tabs = {
    step: stepTab(program, keep("step")),
    say: sayTab(program, about.model, keep("say")),
    debug: debugTab(program, about.model, keep("debug")),
  };
  const corpus = corpusTab(about.corpora, program, keep("corpus"));

  const sent = isLocal(about.model) ? "" : ` What you ask the model ${about.model.name} is sent to the model’s server.`;
  $("foot").textContent = `SemCoder ${about.version}. What you paste runs in a sandbox on the machine that serves this page, and nothing of it is kept there.${sent}`;
  $("limits").textContent = `It may compute for ${about.limits.seconds} seconds and use ${about.limits.memory / 2 ** 20} MiB; no files, no network.`;

  /** Has the shown tab answer for the program as it is now, unless that is a model's work, which waits to be asked for. */
  function run() {
    const tab = tabs[shown];
    if (!tab?.isStale || program.isEmpty) return;
    if (tab.isFree === false) tab.clear();
    else tab.go();
  }

  function address() {
    const example = program.example;
    history.replaceState(null, "", `#${shown}${example ? `/${example.id}` : ""}`);
  }

  function route() {
    const [name, ...parts] = location.hash.slice(1).split("/").map(decoded);
    const tab = TABS.includes(name) ? name : "step";
    const moved = tab !== shown;
    shown = tab;
    for (const each of TABS) $(each).hidden = each !== tab;
    for (const link of document.querySelectorAll("[data-tab]")) {
      if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${document.querySelector(`[data-tab="${tab}"]`).textContent} – SemCoder`;
    $("program").hidden = tab === "corpus";
    for (const form of document.querySelectorAll("[data-of]")) form.hidden = form.dataset.of !== tab;
    if (tab === "corpus") {
      corpus.open(parts);
      return;
    }
    program.offer(tab === "step");
    if (!program.choose(parts[0]) && program.isEmpty && $("example").value !== OWN) program.choose(START[tab]);
    else if (!parts[0] && moved && tab === "debug" && program.example && !program.example.bug) program.choose(START.debug);
    address();
    run();
  }

  document.addEventListener("keydown", (event) => {
    const known = steppers.get(shown);
    if (event.target === document.body && known) stepByKey(known.stepper, known.count, event);
  });
  window.addEventListener("hashchange", route);
  $("example").value = "";
  route();
}

/** A part of the address; as it is where it cannot be decoded, so that it names nothing. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

try {
  start(...await Promise.all([get("/api/about"), get("/static/examples.json")]));
} catch (error) {
  if (!(error instanceof Problem)) console.error(error);
  const why = sentence([error.message, error.hint].filter(Boolean).join("; "));
  $("trouble").append(el("p", {}, el("strong", {}, `This page could not be started: ${why}`), " Reload it to try again."));
}
