// Attachments and pictures. The page loads only files of the local Discord.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

const isLocal = (url) => typeof url === "string" && url.startsWith("/cdn/");
const isPicture = (file) => isLocal(file.url) && PICTURES.includes((file.content_type ?? "").split(";")[0]);

export function attachments(files) {
  if (!files?.length) return null;
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file));
  return h(
    "div",
    { class: "attachments" },
    pictures.length
      ? h("div", { class: `pictures count-${Math.min(pictures.length, 4)}` }, pictures.map(picture))
      : null,
    others.map(fileCard),
  );
}

/** A picture that a click opens large. A spoiler is hidden until it is clicked. */
export function picture(file) {
  const name = file.filename ?? file.description ?? "";
  const image = h("img", {
    src: file.url,
    alt: file.description || name,
    loading: "lazy",
    decoding: "async",
  });
  if (file.width && file.height) {
    image.width = file.width;
    image.height = file.height;
  }
  const hidden = file.spoiler || name.startsWith("SPOILER_");
  return h(
    "button",
    {
      type: "button",
      class: hidden ? "picture spoiler-media" : "picture",
      title: name,
      data: { action: "enlarge", url: file.url, name },
      aria: { label: t("open_image", { name }) },
    },
    image,
    hidden ? h("span", { class: "spoiler-tag" }, "SPOILER") : null,
  );
}

export function fileCard(file) {
  const name = file.filename ?? file.name ?? "file";
  return h(
    "div",
    { class: "file-card" },
    icon("file", 32),
    h(
      "div",
      { class: "file-text" },
      h("span", { class: "file-name" }, name),
      h("span", { class: "file-size" }, size(file.size)),
    ),
    isLocal(file.url)
      ? h(
          "a",
          {
            class: "icon-button",
            href: file.url,
            download: name,
            title: t("download", { name }),
            aria: { label: t("download", { name }) },
          },
          icon("download"),
        )
      : null,
  );
}

/** A picture by its URL, in an embed or a component. A picture of another site is not loaded. */
export function media(item, className = "") {
  const url = item?.url ?? "";
  if (!url) return null;
  if (isLocal(url))
    return h(
      "div",
      { class: `media ${className}` },
      picture({ ...item, filename: item.description ?? url.split("/").at(-1) }),
    );
  return h(
    "div",
    { class: `media external ${className}`, title: url },
    icon("external", 16),
    h("span", {}, t("external_media")),
  );
}

export function size(bytes) {
  if (bytes === undefined || bytes === null) return "";
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB"];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** power).toPrecision(3)} ${units[power - 1]}`;
}

export function enlarge(url, name) {
  const dialog = h("dialog", { class: "lightbox", aria: { label: name } });
  dialog.append(
    h("img", { src: url, alt: name }),
    h(
      "div",
      { class: "lightbox-bar" },
      h("span", {}, name),
      h(
        "a",
        { href: url, download: name, class: "icon-button", aria: { label: t("download", { name }) } },
        icon("download"),
      ),
    ),
  );
  dialog.addEventListener("click", (event) => event.target.closest("a") || dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
