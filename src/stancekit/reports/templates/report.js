(() => {
  const PAGE = 25;
  const rows = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const list = by("list");
  const columns = [...document.querySelectorAll("[data-column]")];
  const OUTCOMES = { right: ["✓", "right"], partly: ["≈", "partly right"], alone: ["✗", "no match on the other side"] };
  let found = rows;
  let shown = 0;

  const make = (tag, style, text) => {
    const node = document.createElement(tag);
    if (style) node.className = style;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const percent = (p) => ` ${p.toFixed(2)}`;

  const drawText = (segments) => {
    const line = make("p", "text");
    for (const [text, style, begins] of segments) {
      for (const number of begins) line.append(make("sup", "number", number));
      line.append(style ? make("span", style, text) : text);
    }
    return line;
  };

  const drawTold = (told) => {
    const node = make("ul", "told");
    for (const item of told) {
      const entry = make("li");
      if (item.outcome) {
        const [sign, words] = OUTCOMES[item.outcome];
        const mark = make("span", `outcome ${item.outcome}`, sign);
        mark.title = words;
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", words);
        entry.append(mark);
      }
      entry.append(make("span", `name ${item.style}`, item.label));
      if (item.words) entry.append(" ", make("q", "", item.words));
      if (item.note) entry.append(` ${item.note}`);
      if (item.confidence !== undefined) entry.append(percent(item.confidence));
      node.append(entry);
    }
    return node;
  };

  const drawAnswers = (row) => {
    const node = make("p", "answers");
    for (const side of ["gold", "predicted"]) {
      const entry = make("span", "", `${side} `);
      if (!row[side].length) entry.append("none of them");
      for (const answer of row[side]) {
        entry.append(make("span", `name ${answer.style}`, answer.label));
        if (typeof answer.confidence === "number") entry.append(percent(answer.confidence));
        entry.append(" ");
      }
      node.append(entry);
    }
    return node;
  };

  const draw = (row) => {
    const node = make("article", row.right ? "sentence" : "sentence wrong");
    node.dataset.id = row.id;
    const where = [row.id, ...Object.values(row.columns)];
    if (row.target) where.push(`target: ${row.target}`);
    node.append(make("p", "where", where.join(" · ")));
    const same = row.lines.length === 2 && JSON.stringify(row.lines[0].segments) === JSON.stringify(row.lines[1].segments);
    row.lines.forEach((line, side) => {
      if (row.gold) {
        node.append(drawText(line.segments), drawAnswers(row));
        return;
      }
      if (row.right && same && side === 0) return;
      const block = make("div", "line");
      block.append(make("b", "", row.right && same ? "as gold" : side ? "predicted" : "gold"), drawText(line.segments));
      if (line.told.length) block.append(drawTold(line.told));
      node.append(block);
    });
    return node;
  };

  const surest = (row) => {
    if (typeof row.confidence === "number") return row.confidence;
    const numbers = row.lines.flatMap((line) => line.told || []).map((t) => t.confidence).filter((n) => n !== undefined);
    return numbers.length ? Math.min(...numbers) : -1;
  };

  const more = () => {
    const next = document.createDocumentFragment();
    for (const row of found.slice(shown, shown + PAGE)) next.append(draw(row));
    shown = Math.min(shown + PAGE, found.length);
    list.append(next);
    by("more").hidden = shown >= found.length;
    by("count").textContent = `${found.length} of ${rows.length} sentences${shown < found.length ? `, ${shown} shown` : ""}`;
  };

  const filter = () => {
    const wanted = by("search").value.trim().toLowerCase();
    const label = by("label").value;
    found = rows.filter((row) =>
      (!by("mistakes").checked || !row.right)
      && (!label || row.labels.includes(label))
      && columns.every((c) => !c.value || (c.dataset.column === "target" ? row.target : row.columns[c.dataset.column]) === c.value)
      && (!wanted || row.text.toLowerCase().includes(wanted) || row.id.toLowerCase().includes(wanted)));
    const order = by("order").value;
    if (order) {
      const scored = found.map((row) => [surest(row), row]).filter(([score]) => score >= 0);
      scored.sort((a, b) => (order === "sure" ? b[0] - a[0] : a[0] - b[0]));
      found = [...scored.map(([, row]) => row), ...found.filter((row) => surest(row) < 0)];
    }
    list.replaceChildren();
    shown = 0;
    more();
  };

  by("filters").addEventListener("submit", (event) => event.preventDefault());
  by("filters").addEventListener("input", filter);
  by("more").addEventListener("click", more);
  filter();
})();
