// A word at the bottom that goes away by itself.
import { element, h } from "./dom.js";

const SHOWN_MS = 4000;

export function toast(words) {
  const note = h("div", { class: "toast" }, words);
  element("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}
