// A slash command that was picked: its name as a chip, its options as labelled fields in a line.
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
    this.#offerRest();
  }

  focus() {
    (this.#fields[0] ?? this.element.querySelector("button, .command-name")).focus();
  }

  /** What was typed behind the command's name goes into its first field for text. */
  fill(words) {
    if (!words) return;
    const first = this.#fields.find((field) => field.takesText) ?? this.#addText();
    first?.fill(words);
  }

  /** { option: value or File }, or null with the first wrong field marked and focused. */
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
      help: (words) => this.#help(words),
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
    this.#offerRest();
    return field;
  }

  #offerRest() {
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

  #help(words) {
    this.element.querySelector(".command-help").textContent = words;
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

  /** Backspace in an empty field takes the field away, in the first one the command. */
  #onBackspace(event, field) {
    if (field && !field.isEmpty()) return;
    event.preventDefault();
    const at = this.#fields.indexOf(field);
    if (at > 0 && !field.option.required) {
      this.#fields.splice(at, 1);
      field.element.remove();
      this.#offerRest();
    } else if (at <= 0) return this.#on.leave();
    this.#fields[at - 1]?.focus();
  }
}
