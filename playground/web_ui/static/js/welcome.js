// The examples in an empty channel, for a first visitor.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { store } from "./store.js";

const SAMPLES = [
  ["chat", "sample_1"],
  ["solve", "sample_solve"],
  ["article", "sample_article"],
  ["chat", "sample_2"],
  ["chat", "sample_3"],
];

const PICTURES = [
  ["big", "picture_big"],
  ["hearts", "picture_hearts"],
  ["number", "picture_number"],
];

export function hint() {
  return h(
    "section",
    { class: "hint", aria: { label: t("hint_title") } },
    h("h2", {}, t("hint_title")),
    examples(),
  );
}

/** The same examples, folded away above the messages of a channel. */
export function foldedHint() {
  return h("details", { class: "folded-hint" }, h("summary", {}, t("hint_title")), examples());
}

function examples() {
  return [
    h("p", {}, t("hint_body")),
    h("div", { class: "samples" }, SAMPLES.map(sample)),
    h("p", {}, t("pictures_body")),
    h("div", { class: "samples pictures" }, PICTURES.map(picture)),
  ];
}

function labelOf(command) {
  return store.commands.find(({ name }) => name === command)?.label ?? command;
}

function sample([command, key]) {
  return h(
    "button",
    { type: "button", class: "sample", data: { action: "sample", command, prompt: t(key) } },
    icon("command", 18),
    h("b", {}, `/${labelOf(command)}`),
    h("span", {}, t(key)),
  );
}

function picture([name, key]) {
  return h(
    "button",
    { type: "button", class: "sample", data: { action: "picture", name, prompt: t(key) } },
    h("img", { src: `/page/static/samples/${name}.png`, alt: "", width: 64, height: 64 }),
    h("span", {}, t(key)),
  );
}
