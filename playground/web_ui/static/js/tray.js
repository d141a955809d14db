// Files that wait to be sent: chosen, pasted or dropped.
import { element, fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { size } from "./media.js";
import { toast } from "./toast.js";

const MAX_BYTES = 10 * 2 ** 20;
const MAX_FILES = 10;

export class Tray {
  files = [];
  #element;

  constructor(box, input) {
    this.#element = box;
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
  }

  /** Add files that are dropped on the page or pasted into the field. A command's file field gets its own. */
  listen(page, field) {
    let depth = 0;
    const showOverlay = (shown) => (element("drop").hidden = !shown);
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    page.addEventListener(
      "dragenter",
      (event) => hasFiles(event) && (event.preventDefault(), showOverlay(++depth > 0)),
    );
    page.addEventListener("dragleave", (event) => hasFiles(event) && showOverlay(--depth > 0));
    page.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    page.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      showOverlay((depth = 0));
      if (event.defaultPrevented) return;
      event.preventDefault();
      this.#addDropped([...event.dataTransfer.files]);
    });
    field.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      this.add([...event.clipboardData.files]);
    });
  }

  #addDropped(files) {
    const option = document.querySelector("#command input[type=file]");
    if (!option) return this.add(files);
    const transfer = new DataTransfer();
    transfer.items.add(files[0]);
    option.files = transfer.files;
    option.dispatchEvent(new Event("change"));
  }

  add(files) {
    for (const file of files) {
      if (file.size > MAX_BYTES) toast(t("too_large", { name: file.name }));
      else if (this.files.length < MAX_FILES) this.files.push(file);
    }
    this.#draw();
  }

  clear() {
    this.files = [];
    this.#draw();
  }

  #draw() {
    this.#element.hidden = !this.files.length;
    fill(
      this.#element,
      this.files.map((file) => this.#card(file)),
    );
  }

  #card(file) {
    const remove = () => {
      this.files = this.files.filter((other) => other !== file);
      this.#draw();
    };
    return h(
      "div",
      { class: "tray-card" },
      h("div", { class: "tray-preview" }, preview(file)),
      h("span", { class: "file-name" }, file.name),
      h("span", { class: "file-size" }, size(file.size)),
      h(
        "button",
        {
          type: "button",
          class: "tray-remove",
          onclick: remove,
          aria: { label: t("remove", { name: file.name }) },
        },
        icon("close", 14),
      ),
    );
  }
}

/** A picture of the file where the browser can draw it. */
export function preview(file) {
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type)) return icon("file", 40);
  const url = URL.createObjectURL(file);
  return h("img", { src: url, alt: "", onload: () => URL.revokeObjectURL(url) });
}
