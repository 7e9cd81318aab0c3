// Answer as you type: a combobox over the rows of /search (WAI-ARIA APG, editable combobox with list).
// Everything from the register is set as text, never as markup. Without this script the form still asks.
"use strict";

for (const form of document.querySelectorAll("form.search")) {
  const input = form.querySelector("input[name=q]");
  const list = form.querySelector("[role=listbox]");
  const heard = form.querySelector(".heard");
  let rows = [];
  let chosen = -1;
  let shownFor = "";
  let waiting = null;
  let running = null;

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  function part(name, text) {
    const node = document.createElement("span");
    node.className = name;
    node.textContent = text;
    return node;
  }

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    chosen = index;
    list.querySelectorAll("[role=option]").forEach((node, place) => {
      node.setAttribute("aria-selected", String(place === index));
      if (place === index) {
        input.setAttribute("aria-activedescendant", node.id);
        node.scrollIntoView({ block: "nearest" });
      }
    });
    if (index < 0) input.removeAttribute("aria-activedescendant");
  }

  function open(row) {
    if (!row || !row.path) return;
    const address = new URL(form.action);
    address.pathname = address.pathname.replace(/\/who$/, row.path);
    address.searchParams.set("q", row.iri);
    for (const name of ["as_of", "known_at", "lang"]) {
      const field = form.elements.namedItem(name);
      if (field && field.value) address.searchParams.set(name, field.value);
    }
    window.location.assign(address);
  }

  function show(found, text) {
    rows = found;
    shownFor = text;
    list.replaceChildren(
      ...rows.map((row, index) => {
        const node = document.createElement("li");
        node.id = `row-${index}`;
        node.setAttribute("role", "option");
        node.setAttribute("aria-selected", "false");
        if (!row.path) {
          node.className = "flat";
          node.setAttribute("aria-disabled", "true");
        }
        node.append(part("name", row.label));
        node.append(part("meta", row.remark ? `${row.kind_label} · ${row.remark}` : row.kind_label));
        if (row.answer) {
          const names = row.answer.holders.map((holder) => holder.label).join(", ");
          node.append(part("who", names ? `→ ${names} · ${row.answer.state}` : `→ ${row.answer.state}`));
        }
        node.addEventListener("mousedown", (event) => event.preventDefault());
        node.addEventListener("click", () => open(row));
        return node;
      }),
    );
    chosen = -1;
    input.removeAttribute("aria-activedescendant");
    list.hidden = rows.length === 0;
    input.setAttribute("aria-expanded", String(rows.length > 0));
    heard.textContent = rows.length ? form.dataset.count.replace("#", rows.length) : form.dataset.none;
  }

  async function ask() {
    const text = input.value.trim();
    if (running) running.abort();
    if (text.length < 2) {
      close();
      return;
    }
    running = new AbortController();
    const address = new URL(form.dataset.rows, window.location.href);
    address.search = "";
    address.searchParams.set("q", text);
    address.searchParams.set("lang", form.dataset.language);
    const day = form.elements.namedItem("as_of");
    if (day && day.value) address.searchParams.set("as_of", day.value);
    try {
      const answer = await fetch(address, { signal: running.signal, headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (input.value.trim() === text && document.activeElement === input) show(found.rows, text);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      close();
      heard.textContent = form.dataset.failed;
    }
  }

  function askSoon() {
    if (input.value.trim().length < 2) close();
    choose(-1);
    clearTimeout(waiting);
    waiting = setTimeout(ask, 120);
  }

  input.addEventListener("input", askSoon);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden || shownFor !== input.value.trim()) {
        ask();
        return;
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose((chosen + step + rows.length + (chosen < 0 && step < 0 ? 1 : 0)) % rows.length);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && !list.hidden && chosen >= 0 && rows[chosen].path) {
      event.preventDefault();
      open(rows[chosen]);
    }
  });
  input.addEventListener("blur", () => setTimeout(close, 150));
  form.addEventListener("submit", () => {
    for (const field of form.querySelectorAll("input[type=date]")) field.disabled = field.value === "";
  });
}
