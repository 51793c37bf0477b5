// Step through: an execution, walked.

import { createStepper } from "./stepper.js";
import { post } from "./net.js";
import { notes, tab } from "./tab.js";

export function stepTab(program, onStepper) {
  const detail = document.getElementById("step-detail");
  const asked = () => ({ ...program.asked, detail: detail.value });
  const self = tab("step", program, {
    question: () => JSON.stringify(asked()),
    async run(signal, result) {
      const found = await post("/api/trace", asked(), signal);
      const stepper = createStepper(found.stepper);
      result.replaceChildren(...notes(found.notes), stepper.element);
      onStepper(stepper, found.stepper.steps.length);
    },
  });
  detail.addEventListener("change", () => self.go());
  return self;
}
