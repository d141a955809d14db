// The form of a slash command: its name, and a labelled field for each option.
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { optionField } from "./options.js";
import { store } from "./store.js";

export class CommandForm {
  #fields = [];
  #on;
  #socket;

  constructor(command, socket, on) {
    this.command = command;
    this.#socket = socket;
    this.#on = on;
    this.row = h("div", { class: "command-fields" });
    this.rest = h("div", { class: "command-rest" });
    this.element = h(
      "div",
      { class: "command-form", role: "group", aria: { label: `/${command.label}` } },
      h(
        "div",
        { class: "command-line" },
        avatar(store.bot, "list"),
        h("b", { class: "command-name", tabIndex: -1 }, `/${command.label}`),
        this.row,
      ),
      h(
        "div",
        { class: "command-foot" },
        h("span", { class: "command-help" }, command.description),
        this.rest,
      ),
    );
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    command.options.filter((option) => option.required).forEach((option) => this.#add(option));
    if (!this.#fields.length) this.#addText();
    this.#offerOptions();
  }

  focus() {
    (this.#fields[0] ?? this.element.querySelector("button, .command-name")).focus();
  }

  /** Put the text after the command's name into its first text field. */
  fill(text) {
    if (!text) return;
    const first = this.#fields.find((field) => field.takesText) ?? this.#addText();
    first?.fill(text);
  }

  /** Return { option: value or File }. Where a field is wrong, mark and focus it, and return null. */
  collect() {
    const wrong = this.#fields.filter((field) => !field.check());
    wrong[0]?.focus();
    if (wrong.length) return null;
    return Object.fromEntries(
      this.#fields
        .map((field) => [field.option.name, field.value()])
        .filter(([, value]) => value !== undefined),
    );
  }

  #add(option) {
    const field = optionField(option, {
      help: (text) => this.#help(text),
      complete: (typed) => this.#complete(option, typed),
    });
    this.#fields.push(field);
    this.row.append(field.element);
    return field;
  }

  #addText() {
    return this.#addNamed(this.command.options.find((option) => option.type === 3));
  }

  #addNamed(option) {
    if (!option) return null;
    const field = this.#add(option);
    this.#offerOptions();
    return field;
  }

  #offerOptions() {
    const used = new Set(this.#fields.map((field) => field.option.name));
    const left = this.command.options.filter((option) => !used.has(option.name));
    const offer = (option) =>
      h(
        "button",
        {
          type: "button",
          class: "option-offer",
          title: option.description,
          onclick: () => this.#addNamed(option).focus(),
        },
        icon("plus", 12),
        option.label,
      );
    fill(this.rest, left.map(offer));
  }

  #help(text) {
    this.element.querySelector(".command-help").textContent = text;
  }

  async #complete(option, typed) {
    const values = Object.fromEntries(
      this.#fields
        .filter((field) => field.option !== option && !(field.value() instanceof File))
        .map((field) => [field.option.name, field.value()]),
    );
    return this.#socket
      .request("autocomplete", {
        channel: store.current,
        command: this.command.name,
        option: option.name,
        typed,
        values,
      })
      .catch(() => []);
  }

  #onKey(event) {
    const field = this.#fields.find((one) => one.element.contains(event.target));
    if (event.isComposing || field?.handleKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      this.#on.submit();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.#on.leave();
    } else if (event.key === "Backspace") this.#onBackspace(event, field);
  }

  /** Remove an empty field at Backspace. In the first field, leave the command. */
  #onBackspace(event, field) {
    if (field && !field.isEmpty()) return;
    event.preventDefault();
    const at = this.#fields.indexOf(field);
    if (at > 0 && !field.option.required) {
      this.#fields.splice(at, 1);
      field.element.remove();
      this.#offerOptions();
    } else if (at <= 0) return this.#on.leave();
    this.#fields[at - 1]?.focus();
  }
}
