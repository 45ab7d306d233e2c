/** Look around in the media share and make a lesson of what lies there. */

import { createFromMedia, listFolder } from "./api.js";
import { byId, element } from "./dom.js";
import { t } from "./i18n.js";
import { startShelf } from "./shelf.js";

/** @param {(job: object) => void} onCreated */
export async function startMedia(onCreated) {
  const section = byId("media");
  const list = byId("media-entries");
  const message = byId("media-message");
  const make = byId("media-make");
  const shelf = startShelf({ wishes, onCreated });
  let picked = {};

  function wishes() {
    const { level, language } = byId("upload-form").elements;
    return { level: level.value, language: language.value };
  }

  async function show(path) {
    const folder = await listFolder(path);
    list.replaceChildren();
    if (folder.path) {
      const above = folder.path.split("/").slice(0, -1).join("/");
      list.append(row(`↑ ${t("share.up")}`, () => open(above)));
    }
    for (const entry of folder.entries) {
      if (entry.kind === "folder") list.append(row(`${entry.name}/`, () => open(entry.path)));
      else list.append(row(entry.name, (event) => pick(entry, event.currentTarget)));
    }
    message.className = "quiet";
    message.textContent = folder.entries.length ? t("share.pick") : t("share.empty");
  }

  async function open(path) {
    const held = list.contains(document.activeElement);
    try {
      await show(path);
      if (held) list.querySelector("button")?.focus();
    } catch (error) {
      fail(error);
    }
  }

  function pick(entry, button) {
    picked = { ...picked, [entry.kind]: entry.path };
    for (const other of list.querySelectorAll(`[data-kind=${entry.kind}]`))
      other.setAttribute("aria-pressed", "false");
    button.dataset.kind = entry.kind;
    button.setAttribute("aria-pressed", "true");
    const names = Object.values(picked).map((path) => path.split("/").pop());
    message.className = "quiet";
    message.textContent = t("share.picked", { names: names.join(", ") });
    make.disabled = !(picked.video && picked.subtitle);
  }

  function fail(error) {
    message.className = "error";
    message.textContent = error.message;
  }

  make.addEventListener("click", async () => {
    make.disabled = true;
    try {
      const job = await createFromMedia({ ...picked, ...wishes() });
      picked = {};
      await open("");
      message.textContent = t("queued", { name: job.title });
      onCreated(job);
    } catch (error) {
      fail(error);
      make.disabled = false;
    }
  });
  section.addEventListener("toggle", () => section.open && shelf.refresh());
  section.hidden = false;
  await open("");
}

function row(text, onClick) {
  const button = element("button", { type: "button", textContent: text });
  button.addEventListener("click", onClick);
  return element("li", {}, button);
}
