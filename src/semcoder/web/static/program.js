// The program that the first three tabs share: an example or one's own, and how it is run. It lives in this page alone.

import { editor } from "./editor.js";

const $ = (id) => document.getElementById(id);

export const OWN = "own";

/** `onRun()` when it is to be run as it is, `onExample()` when another example was chosen. */
export function programPanel(examples, { onRun, onExample }) {
  const source = editor($("source"), $("lines"), onRun);
  let current = null; // the example, as long as nothing in it was changed
  let wholeToo = true; // whether a whole program can be run here, and not a call alone
  const isCall = () => !wholeToo || $("way").value === "call";

  for (const example of examples) $("example").append(new Option(example.title, example.id));
  $("example").append(new Option("Your own program", OWN));

  function fill(example) {
    source.set(example.source);
    $("call").value = example.call;
    $("way").value = "call";
    $("debug-expect").value = example.expect;
    $("say-output").value = example.output;
    $("say-entry").value = "";
    $("say-text").value = example.told ?? "";
    current = example;
    $("example").value = example.id;
    ways();
    describe();
  }

  function ways() {
    $("way-field").hidden = !wholeToo;
    $("call-field").hidden = !isCall();
    $("stdin-field").hidden = isCall();
  }

  function describe() {
    $("shown").textContent = isCall() ? $("call").value : "the whole program";
  }

  function changed() {
    current = null;
    $("example").value = OWN;
    describe();
  }

  function open(wanted) {
    $("panel").hidden = !wanted;
    $("edit").setAttribute("aria-expanded", String(wanted));
    $("edit").textContent = wanted ? "Close" : "Edit";
  }

  $("example").addEventListener("change", () => {
    const chosen = examples.find(({ id }) => id === $("example").value);
    if (chosen) {
      fill(chosen);
      onExample();
      return;
    }
    current = null;
    open(true);
    $("source").focus();
    $("source").select();
  });
  for (const id of ["source", "call", "stdin"]) $(id).addEventListener("input", changed);
  $("way").addEventListener("change", () => {
    ways();
    changed();
  });
  for (const id of ["call", "stdin"]) {
    $(id).addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (id === "call" || event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        onRun();
      }
    });
  }
  $("edit").addEventListener("click", () => {
    open($("panel").hidden);
    if (!$("panel").hidden) $("source").focus();
  });

  return {
    open,
    /** Offers the whole program with its input beside the call, or the call alone. */
    offer(whole) {
      wholeToo = whole;
      ways();
      describe();
    },
    choose(id) {
      const chosen = examples.find((example) => example.id === id);
      if (chosen && chosen !== current) fill(chosen);
      return Boolean(chosen);
    },
    take(program) {
      source.set(program.source);
      $("call").value = program.call ?? $("call").value;
      $("way").value = "call";
      for (const id of ["debug-expect", "say-output", "say-entry", "say-text"]) {
        if (program.call !== undefined) $(id).value = "";
      }
      if (program.output !== undefined) $("debug-expect").value = program.output;
      ways();
      changed();
    },
    get example() { return current; },
    get isEmpty() { return $("source").value.trim() === ""; },
    /** What is sent of it: the source, and the call or the input. */
    get asked() {
      const program = { source: $("source").value };
      return isCall() ? { ...program, call: $("call").value } : { ...program, stdin: $("stdin").value };
    },
    /** Shows where in it something is wrong. */
    point(where) {
      if (!["source", "call", "stdin"].includes(where.field)) return;
      open(true);
      if (where.field === "source" && where.line) source.point(where.line);
      else $(where.field).focus();
    },
  };
}
