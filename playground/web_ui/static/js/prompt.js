// A small dialog that asks for a name.
import { h } from "./dom.js";
import { t } from "./i18n.js";

/** Ask for a name. Resolves to the text, or to "" after a cancel. */
export function ask({ title, label, accept, prefix = "" }) {
  return new Promise((resolve) => {
    const input = h("input", {
      type: "text",
      maxLength: 32,
      required: true,
      autocomplete: "off",
      aria: { label },
    });
    const dialog = h("dialog", { class: "dialog small", aria: { label: title } });
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", {}, title),
      h(
        "label",
        { class: "field" },
        h("span", { class: "field-label" }, label),
        h("span", { class: "field-box" }, prefix ? h("span", { class: "prefix" }, prefix) : null, input),
      ),
      h(
        "footer",
        {},
        h("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, t("cancel")),
        h("button", { type: "submit", class: "button primary" }, accept),
      ),
    );
    let name = "";
    form.addEventListener("submit", () => (name = input.value.trim()));
    dialog.addEventListener("close", () => (dialog.remove(), resolve(name)));
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
