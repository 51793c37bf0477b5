// The report's samples: one article each, its stepper drawn when it comes near the window.
// This text is placed after stepper.js in one inline module, so its functions are in scope.

const samples = JSON.parse(document.getElementById("samples-data").textContent);
const articles = document.getElementById("sample-articles");
const list = el("ol");
const drawn = new Map();

function factList(facts) {
  const node = el("dl", { class: "facts" });
  for (const [name, value] of Object.entries(facts)) node.append(el("dt", {}, name), el("dd", {}, code(value)));
  return node;
}

function backwardPart(told) {
  const found = told.found_by ? ` Found by ${told.found_by}.` : "";
  return el("section", { class: "backward" }, el("h4", {}, "Backward monologue: from the output to a call"),
    el("p", { class: "summary" }, claimsSummary(told.claims) + found), monologueList(told),
    el("p", {}, "Its answer: ", code(told.answer)));
}

function draw(article, sample) {
  if (drawn.has(article)) return;
  const stepper = createStepper(sample.stepper);
  drawn.set(article, { stepper, count: sample.stepper.steps.length });
  article.querySelector(".place").replaceWith(stepper.element);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    draw(entry.target, samples[Number(entry.target.dataset.sample)]);
  }
}, { rootMargin: "800px" });

samples.forEach((sample, k) => {
  const id = `sample-${k + 1}`;
  const title = `${k + 1}. `;
  const article = el("article", { id, "data-sample": k, "aria-labelledby": `${id}-title` },
    el("h3", { id: `${id}-title` }, title, code(sample.call)), el("div", { class: "place" }),
    sample.backward ? backwardPart(sample.backward) : "",
    el("section", { class: "provenance" }, el("h4", {}, "Provenance"), factList(sample.provenance)));
  articles.append(article);
  list.append(el("li", {}, el("a", { href: `#${id}` }, code(sample.call))));
  if (k === 0) draw(article, sample);
  else watcher.observe(article);
});
document.getElementById("sample-list").append(list);

// With nothing focused, the arrow keys walk the sample in the middle of the window.
document.addEventListener("keydown", (event) => {
  if (event.target !== document.body || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const middle = window.innerHeight / 2;
  for (const [article, { stepper, count }] of drawn) {
    const box = article.getBoundingClientRect();
    if (box.top <= middle && box.bottom >= middle) stepByKey(stepper, count, event);
  }
});

// A printed page holds every sample, not only those that were near the window.
window.addEventListener("beforeprint", () => {
  articles.querySelectorAll("article").forEach((article) => draw(article, samples[Number(article.dataset.sample)]));
});
