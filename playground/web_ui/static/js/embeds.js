// Embeds: cards with a coloured bar.
import { h } from "./dom.js";
import { markup } from "./markup.js";
import { media } from "./media.js";
import { messageTime } from "./time.js";

export const embeds = (list) => (list.length ? h("div", { class: "embeds" }, list.map(embed)) : null);

function embed(data) {
  const card = h(
    "article",
    { class: "embed" },
    h(
      "div",
      { class: "embed-text" },
      data.author?.name ? h("div", { class: "embed-author" }, data.author.name) : null,
      data.title ? title(data) : null,
      data.description ? markup(data.description_html, "markup embed-description") : null,
      data.fields?.length ? h("div", { class: "embed-fields" }, data.fields.map(field)) : null,
    ),
    data.thumbnail ? media(data.thumbnail, "embed-thumbnail") : null,
    data.image ? media(data.image, "embed-image") : null,
    footer(data),
  );
  if (Number.isInteger(data.color)) card.style.setProperty("--bar", hex(data.color));
  return card;
}

export const hex = (color) => `#${(color & 0xffffff).toString(16).padStart(6, "0")}`;

function title(data) {
  const text = markup(data.title_html, "embed-title", "div");
  if (!/^https?:\/\//.test(data.url ?? "")) return text;
  return h(
    "a",
    { class: "embed-link", href: data.url, target: "_blank", rel: "noopener noreferrer nofollow" },
    text,
  );
}

function field({ name_html, value_html, inline }) {
  return h(
    "div",
    { class: inline ? "embed-field inline" : "embed-field" },
    markup(name_html, "embed-field-name"),
    markup(value_html, "markup embed-field-value"),
  );
}

function footer({ footer: content, timestamp }) {
  const parts = [content?.text, timestamp && messageTime(timestamp)].filter(Boolean);
  return parts.length ? h("footer", { class: "embed-footer" }, parts.join(" • ")) : null;
}
