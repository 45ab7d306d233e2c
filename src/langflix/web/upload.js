/** The form that makes a new lesson. */

import { createJob } from "./api.js";
import { byId } from "./dom.js";
import { t } from "./i18n.js";

/** @param {(job: object) => void} onCreated */
export function startUpload(onCreated) {
  const form = byId("upload-form");
  const submit = form.querySelector("[data-testid=upload]");
  const cancel = form.querySelector("[data-testid=cancel]");
  const progress = byId("upload-progress");
  const message = byId("upload-message");
  let key = newKey();

  let running = false;

  /** The button stays enabled: one that is disabled would lose the keyboard's focus. */
  function busy(on) {
    running = on;
    submit.setAttribute("aria-disabled", on);
    if (!on && document.activeElement === cancel) submit.focus();
    cancel.hidden = progress.hidden = !on;
    progress.value = 0;
  }

  /** The bar shows how far it is; the message is read out, so it changes only with the stage. */
  function advance(percent) {
    progress.value = percent;
    const stage = percent < 100 ? t("uploading") : t("storing");
    if (message.textContent !== stage) message.textContent = stage;
  }

  form.addEventListener("change", () => (key = newKey()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    busy(true);
    message.className = "quiet";
    advance(0);
    const upload = createJob(new FormData(form), key, advance);
    cancel.onclick = upload.cancel;
    try {
      const job = await upload.done;
      message.className = "good";
      message.textContent = t("queued", { name: job.title });
      for (const name of ["video", "subtitle", "title"]) form.elements[name].value = "";
      key = newKey();
      onCreated(job);
    } catch (error) {
      message.className = "error";
      message.textContent = error.message;
    } finally {
      busy(false);
    }
  });
}

/** Not randomUUID: browsers have it on encrypted pages only. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
