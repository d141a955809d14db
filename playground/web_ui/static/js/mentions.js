// `@` and `#` complete to people and channels, and are sent as Discord's mentions.
import { h } from "./dom.js";
import { avatar, icon } from "./icons.js";
import { nameOf, store } from "./store.js";

const WORD = /(^|\s)([@#])([^\s@#]{0,32})$/u;
const MOST_SHOWN = 8;

export function completions(list, field) {
  const before = field.value.slice(0, field.selectionStart);
  const [, , sign, query] = WORD.exec(before) ?? [];
  if (!sign) return list.close();
  const wanted = query.toLowerCase();
  const found = (sign === "@" ? people() : channels())
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .slice(0, MOST_SHOWN);
  const pick = (name) => {
    field.setRangeText(`${sign}${name} `, before.length - query.length - 1, before.length, "end");
    list.close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  list.show(
    found.map(({ name, picture }) => ({
      node: () => [picture(), h("span", {}, name)],
      pick: () => pick(name),
    })),
  );
}

const people = () =>
  [...store.users.values()].map((user) => ({
    id: user.id,
    name: nameOf(user),
    picture: () => avatar(user, "small"),
  }));
const channels = () =>
  store.inGuild().map((channel) => ({ id: channel.id, name: channel.name, picture: () => icon("hash", 18) }));

/** `@Ada` as `<@1>`; the longest names first, so that one name inside another does no harm. */
export function withMentions(words) {
  const all = [
    ...people().map((one) => ({ from: `@${one.name}`, to: `<@${one.id}>` })),
    ...channels().map((one) => ({ from: `#${one.name}`, to: `<#${one.id}>` })),
  ];
  all.sort((a, b) => b.from.length - a.from.length);
  return all.reduce(
    (text, { from, to }) =>
      text.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${escaped(from)}(?![\\p{L}\\p{N}_])`, "gu"), () => to),
    words,
  );
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
