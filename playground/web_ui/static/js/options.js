// The form fields for options, by Discord's option types.
import { autosize, fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { Listbox } from "./listbox.js";
import { size } from "./media.js";
import { withMentions } from "./mentions.js";
import { choices as selectable } from "./selects.js";

const STRING = 3;
const BOOLEAN = 5;
const ATTACHMENT = 11;
const NUMBER = 10;
const SELECT_TYPES = { 6: 5, 7: 8, 8: 6, 9: 7 }; // user, channel, role, mentionable
const DEBOUNCE_MS = 150;

export const optionField = (option, on) =>
  option.type === ATTACHMENT ? new FileField(option, on) : new TextField(option, on);

class TextField {
  #choice = null; // { name, value } where one was picked
  #on;
  #timer;

  constructor(option, on) {
    this.option = option;
    this.#on = on;
    this.input = h("textarea", {
      rows: 1,
      class: "option-input",
      aria: { label: option.label, required: String(Boolean(option.required)) },
    });
    this.list = new Listbox(this.input, option.label, "choices");
    this.element = h(
      "label",
      { class: "option" },
      h("span", { class: "option-name" }, option.label),
      this.input,
      this.list.element,
    );
    this.input.addEventListener("input", () => this.#onInput());
    this.input.addEventListener("focus", () => (on.help(option.description), this.#suggest()));
    this.input.addEventListener("blur", () => (this.list.close(), this.check(false)));
  }

  get takesText() {
    return this.option.type === STRING && !this.option.choices?.length;
  }

  isEmpty = () => !this.input.value;

  focus() {
    this.input.focus();
  }

  fill(text) {
    this.input.value = text;
    autosize(this.input, 160);
  }

  handleKey = (event) => this.list.handleKey(event);

  value() {
    const text = this.input.value.trim();
    if (!text) return undefined;
    const choice =
      this.#choice ?? this.#allowedValues()?.find(({ name }) => name.toLowerCase() === text.toLowerCase());
    if (choice) return choice.value;
    if (this.#allowedValues()) return null;
    if (this.option.type === STRING) return withMentions(this.input.value.trim());
    const number = Number(text);
    return Number.isFinite(number) && (this.option.type === NUMBER || Number.isInteger(number))
      ? number
      : null;
  }

  /** Return whether the value may be sent, and mark the field where it may not. */
  check(showMissing = true) {
    const value = this.value();
    const {
      required,
      min_value: low,
      max_value: high,
      min_length: shortest = 0,
      max_length: longest = 6000,
    } = this.option;
    const inRange = typeof value !== "number" || ((low ?? value) <= value && value <= (high ?? value));
    const fits =
      typeof value !== "string" || !this.takesText || (value.length >= shortest && value.length <= longest);
    const right = value === undefined ? !required : value !== null && inRange && fits;
    const shown = !right && (showMissing || value !== undefined);
    this.element.classList.toggle("wrong", shown);
    this.input.setAttribute("aria-invalid", String(shown));
    if (shown && showMissing) this.#on.help(t("option_needed"));
    return right;
  }

  /** The only allowed values, or undefined where any value may be typed. */
  #allowedValues() {
    if (this.option.choices?.length) return this.option.choices;
    if (this.option.type === BOOLEAN)
      return [
        { name: t("yes"), value: true },
        { name: t("no"), value: false },
      ];
    const type = SELECT_TYPES[this.option.type];
    return type && selectable({ type }).map(({ label, value }) => ({ name: label, value }));
  }

  #onInput() {
    this.#choice = null;
    this.element.classList.remove("wrong");
    autosize(this.input, 160);
    this.#suggest();
  }

  #suggest() {
    clearTimeout(this.#timer);
    const typed = this.input.value.trim();
    if (this.option.autocomplete) {
      this.list.close(); // its suggestions are for an older text
      this.#timer = setTimeout(async () => {
        const choices = await this.#on.complete(typed);
        if (typed === this.input.value.trim()) this.#show(choices);
      }, DEBOUNCE_MS);
    } else if (this.#allowedValues())
      this.#show(this.#allowedValues().filter(({ name }) => name.toLowerCase().includes(typed.toLowerCase())));
  }

  #show(choices) {
    if (document.activeElement !== this.input) return;
    const items = choices.map((choice) => ({
      node: () => h("span", {}, choice.name),
      pick: () => this.#pick(choice),
    }));
    const optional = Boolean(this.option.autocomplete);
    this.list.show(items, { optional, empty: optional ? null : t("no_match") });
  }

  #pick(choice) {
    this.#choice = choice;
    this.fill(choice.name);
    this.list.close();
    this.check(false);
  }
}

class FileField {
  #file = null;

  constructor(option, on) {
    this.option = option;
    this.input = h("input", { type: "file", class: "visually-hidden", aria: { label: option.label } });
    this.button = h("button", { type: "button", class: "option-file", onclick: () => this.input.click() });
    this.element = h(
      "div",
      { class: "option" },
      h("span", { class: "option-name" }, option.label),
      this.input,
      this.button,
    );
    this.input.addEventListener("change", () => this.#setFile(this.input.files[0]));
    this.element.addEventListener(
      "paste",
      (event) => event.clipboardData.files.length && this.#setFile(event.clipboardData.files[0]),
    );
    this.button.addEventListener("focus", () => on.help(option.description));
    this.#draw();
  }

  takesText = false;
  handleKey = () => false;
  isEmpty = () => !this.#file;
  value = () => this.#file ?? undefined;

  fill() {}

  focus() {
    this.button.focus();
  }

  check() {
    const right = Boolean(this.#file) || !this.option.required;
    this.element.classList.toggle("wrong", !right);
    return right;
  }

  #setFile(file) {
    this.#file = file ?? this.#file;
    this.check();
    this.#draw();
  }

  #draw() {
    fill(
      this.button,
      icon(this.#file ? "file" : "plus", 16),
      this.#file ? `${this.#file.name} (${size(this.#file.size)})` : t("choose_file"),
    );
  }
}
