// A plain text area that knows a little about code: line numbers, indentation, and no trap for the keyboard.

/** `onRun` is called for Control (or Command) and Enter. */
export function editor(area, gutter, onRun) {
  let leaving = false; // after Escape, Tab moves on

  function number() {
    const count = area.value.split("\n").length;
    if (gutter.childElementCount === 0 || Number(gutter.dataset.count) !== count) {
      gutter.textContent = Array.from({ length: count }, (_, k) => k + 1).join("\n");
      gutter.dataset.count = String(count);
      area.rows = Math.max(6, Math.min(20, count + 1));
    }
    gutter.scrollTop = area.scrollTop;
  }

  function insert(text) {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onRun();
    } else if (event.key === "Escape") {
      leaving = true;
      return;
    } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      const column = area.selectionStart - area.value.lastIndexOf("\n", area.selectionStart - 1) - 1;
      insert(" ".repeat(4 - (column % 4)));
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      const before = area.value.slice(area.value.lastIndexOf("\n", area.selectionStart - 1) + 1, area.selectionStart);
      const indent = before.match(/^[ \t]*/)[0];
      insert(`\n${indent}${/:\s*(#.*)?$/.test(before) ? "    " : ""}`);
    }
    if (event.key !== "Shift") leaving = false;
  });
  area.addEventListener("blur", () => { leaving = false; });
  area.addEventListener("input", number);
  area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });

  return {
    set(text) {
      area.value = text;
      number();
    },
    /** Selects a line, counted from 1. */
    point(line) {
      const rows = area.value.split("\n");
      const start = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
      area.focus();
      area.setSelectionRange(start, start + (rows[line - 1]?.length ?? 0));
    },
  };
}
