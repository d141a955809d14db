// The list of commands that `/` opens.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { avatar } from "./icons.js";
import { nameOf, store } from "./store.js";

const SLASH = 1;

const slashCommands = () => store.usable(SLASH);

export const exactCommand = (label) =>
  slashCommands().find((command) => [command.label, command.name].includes(label));

/** The commands that contain the query. Those that begin with it come first. */
export function matchingCommands(query) {
  const wanted = query.toLowerCase();
  const rank = ({ label, name }) =>
    label.toLowerCase().startsWith(wanted) || name.startsWith(wanted)
      ? 0
      : label.toLowerCase().includes(wanted)
        ? 1
        : 2;
  return slashCommands()
    .filter((command) => rank(command) < 2)
    .sort((a, b) => rank(a) - rank(b) || a.label.localeCompare(b.label));
}

export function showCommands(list, query, pick) {
  const items = matchingCommands(query).map((command) => ({
    node: () => row(command),
    pick: () => pick(command),
  }));
  list.show(items, { header: store.bot ? nameOf(store.bot) : "", empty: t("no_commands", { query }) });
}

function row(command) {
  return [
    avatar(store.bot, "list"),
    h(
      "div",
      { class: "command-text" },
      h(
        "div",
        {},
        h("b", {}, `/${command.label}`),
        command.options.map((option) =>
          h("span", { class: option.required ? "command-option required" : "command-option" }, option.label),
        ),
      ),
      h("small", {}, command.description),
    ),
    h("small", { class: "command-owner" }, nameOf(store.bot)),
  ];
}
