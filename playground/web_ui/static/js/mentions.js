// Completes `@` and `#` to people and channels, and sends them as Discord's mentions.
import { h } from "./dom.js";
import { avatar, icon } from "./icons.js";
import { nameOf, store } from "./store.js";

const MENTION = /(^|\s)([@#])([^\s@#]{0,32})$/u;
const MAX_SHOWN = 8;

export function suggestMentions(list, field) {
  const before = field.value.slice(0, field.selectionStart);
  const [, , sign, query] = MENTION.exec(before) ?? [];
  if (!sign) return list.close();
  const wanted = query.toLowerCase();
  const found = (sign === "@" ? people() : channels())
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .slice(0, MAX_SHOWN);
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
  store.guildChannels().map((channel) => ({ id: channel.id, name: channel.name, picture: () => icon("hash", 18) }));

/** Replace `@Ada` by `<@1>`. The longest names come first, since a name may contain another. */
export function withMentions(content) {
  const all = [
    ...people().map((one) => ({ from: `@${one.name}`, to: `<@${one.id}>` })),
    ...channels().map((one) => ({ from: `#${one.name}`, to: `<#${one.id}>` })),
  ];
  all.sort((a, b) => b.from.length - a.from.length);
  return all.reduce(
    (text, { from, to }) =>
      text.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${escapeRegExp(from)}(?![\\p{L}\\p{N}_])`, "gu"), () => to),
    content,
  );
}

const escapeRegExp = (text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
