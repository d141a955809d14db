// A list above a field. The keyboard controls it while the field keeps the focus.
import { fill, h } from "./dom.js";

let serial = 0;

/**
 * items: [{ key, node: () => Node, pick: () => void }]; without items the box is hidden.
 * `handleKey(event)` returns whether the list used the key. An optional list marks no item at
 * first, and leaves Enter to the field until one is marked.
 */
export class Listbox {
  #items = [];
  #active = 0;
  #field;

  constructor(field, label, className = "") {
    this.#field = field;
    this.id = `list-${serial++}`;
    this.header = h("div", { class: "list-header" });
    this.list = h("div", { id: this.id, role: "listbox", class: "list-items", aria: { label } });
    this.element = h("div", { class: `listbox ${className}`, hidden: true }, this.header, this.list);
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.#pickAt(event));
    this.list.addEventListener("mousemove", (event) => this.#hover(event));
  }

  get open() {
    return !this.element.hidden;
  }

  show(items, { header = "", empty = null, optional = false } = {}) {
    this.#items = items;
    this.#active = optional ? -1 : 0;
    this.header.textContent = header;
    this.header.hidden = !header;
    fill(
      this.list,
      items.map((item, at) => this.#row(item, at)),
      items.length || !empty ? null : h("div", { class: "list-empty" }, empty),
    );
    this.element.hidden = !items.length && !empty;
    this.#mark();
  }

  close() {
    this.element.hidden = true;
    this.#items = [];
    this.#mark();
  }

  handleKey(event) {
    if (!this.open || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const picked = this.#picked(event);
    if (step && this.#items.length) {
      const from = this.#active < 0 && step < 0 ? 0 : this.#active;
      this.#active = (from + step + this.#items.length) % this.#items.length;
      this.#mark();
    } else if (event.key === "Escape") this.close();
    else if (picked) picked.pick();
    else return false;
    event.preventDefault();
    return true;
  }

  #picked({ key, shiftKey }) {
    if (shiftKey) return undefined;
    if (key === "Tab") return this.#items[Math.max(this.#active, 0)];
    return key === "Enter" ? this.#items[this.#active] : undefined;
  }

  #row(item, at) {
    return h(
      "div",
      {
        role: "option",
        id: `${this.id}-${at}`,
        class: "list-item",
        data: { at },
        aria: { selected: "false" },
      },
      item.node(),
    );
  }

  #pickAt(event) {
    const row = event.target.closest("[data-at]");
    if (row) this.#items[Number(row.dataset.at)]?.pick();
  }

  #hover(event) {
    const row = event.target.closest("[data-at]");
    if (!row || Number(row.dataset.at) === this.#active) return;
    this.#active = Number(row.dataset.at);
    this.#mark(false);
  }

  #mark(scroll = true) {
    for (const [at, row] of [...this.list.querySelectorAll("[data-at]")].entries()) {
      row.setAttribute("aria-selected", String(at === this.#active));
      if (at === this.#active && scroll) row.scrollIntoView({ block: "nearest" });
    }
    this.#field.setAttribute("aria-expanded", String(this.open));
    this.#field.setAttribute("aria-controls", this.id);
    if (this.open && this.#items[this.#active])
      this.#field.setAttribute("aria-activedescendant", `${this.id}-${this.#active}`);
    else this.#field.removeAttribute("aria-activedescendant");
  }
}
