// Talking to the server: JSON, and lines of JSON as they come. Every failure is a `Problem` with one clear line.

export class Problem extends Error {
  constructor(doc) {
    super(doc.error || "the server gave no reason");
    this.where = doc.where ?? {};
    this.hint = doc.hint ?? "";
  }
}

async function ask(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ error: "the server does not answer", hint: "is semcoder ui still running?" });
  }
}

async function answerOf(response) {
  let doc;
  try {
    doc = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ error: `the server answered ${response.status} and nothing that can be read` });
  }
  if (!response.ok) throw new Problem(doc);
  return doc;
}

const posted = (doc, signal) => ({
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(doc), signal,
});

export const get = async (path, signal) => answerOf(await ask(path, { signal }));
export const post = async (path, doc, signal) => answerOf(await ask(path, posted(doc, signal)));

/** Calls `each(doc)` for every line of the answer, as it comes. */
export async function stream(path, doc, each, signal) {
  const response = await ask(path, posted(doc, signal));
  if (!response.ok) {
    await answerOf(response);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const rows = (rest + value).split("\n");
    rest = rows.pop();
    for (const row of rows) each(JSON.parse(row));
  }
}
