// What a first visitor sees in an empty channel.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

const SAMPLES = ["sample_1", "sample_2", "sample_3"];

export function hint() {
  return h(
    "section",
    { class: "hint", aria: { label: t("hint_title") } },
    h("h2", {}, t("hint_title")),
    h("p", {}, t("hint_body")),
    h("div", { class: "samples" }, SAMPLES.map(sample)),
  );
}

function sample(key) {
  return h(
    "button",
    { type: "button", class: "sample", data: { action: "sample", prompt: t(key) } },
    icon("command", 18),
    h("span", {}, t(key)),
  );
}
