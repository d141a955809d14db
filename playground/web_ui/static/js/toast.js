// A short notice at the bottom that disappears by itself.
import { element, h } from "./dom.js";

const SHOWN_MS = 4000;

export function toast(text) {
  const note = h("div", { class: "toast" }, text);
  element("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}
