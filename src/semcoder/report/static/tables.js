// Tables that sort: every head of a column becomes a button, by click, Enter or Space. Numbers are compared as numbers
// (`data-value`, the whole value, not the rounded text), texts by the reader's alphabet; what has no value stays last.
// The first press puts the largest numbers, or the first words, on top; the second turns that round; the third brings
// back the order that the page came with. `aria-sort` says which it is. Without this script tables read as they came.
// Other scripts may stand before this one in one module: it adds no names.
{
  const words = new Intl.Collator(undefined, { numeric: true });
  const marks = { ascending: " ▲", descending: " ▼", none: "" };

  const keyOf = (row, place, numeric) => {
    const cell = row.cells[place];
    if (!numeric) return cell.textContent;
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };

  const sorted = (rows, place, numeric, direction) => {
    if (direction === "none") return rows;
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((row) => [keyOf(row, place, numeric), row]);
    const compare = ([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (numeric ? a - b : words.compare(a, b));
    };
    return keyed.sort(compare).map(([, row]) => row);
  };

  for (const table of document.querySelectorAll("table.figures")) {
    const rows = [...table.tBodies[0].rows];
    const heads = [...table.tHead.querySelectorAll("th")];
    if (rows.length < 2) continue;
    heads.forEach((head, place) => {
      const numeric = head.classList.contains("number");
      const turns = numeric ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
      const button = document.createElement("button");
      const mark = document.createElement("span");
      mark.setAttribute("aria-hidden", "true");
      button.type = "button";
      button.append(...head.childNodes, mark);
      head.append(button);
      button.addEventListener("click", () => {
        const direction = turns[(turns.indexOf(head.getAttribute("aria-sort")) + 1) % turns.length];
        for (const other of heads) {
          other.removeAttribute("aria-sort");
          other.querySelector("button > span").textContent = "";
        }
        if (direction !== "none") head.setAttribute("aria-sort", direction);
        mark.textContent = marks[direction];
        table.tBodies[0].append(...sorted(rows, place, numeric, direction));
      });
    });
  }
}
