/** The form that makes a new lesson. */

import { createJob } from "./api.js";
import { byId } from "./dom.js";

/** @param {(job: object) => void} onCreated */
export function startUpload(onCreated) {
  const form = byId("upload-form");
  const submit = form.querySelector("[data-testid=upload]");
  const cancel = form.querySelector("[data-testid=cancel]");
  const progress = byId("upload-progress");
  const message = byId("upload-message");

  function busy(on) {
    submit.disabled = on;
    cancel.hidden = progress.hidden = !on;
    progress.value = 0;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    busy(true);
    message.className = "";
    message.textContent = "Uploading…";
    const upload = createJob(new FormData(form), (percent) => {
      progress.value = percent;
      message.textContent = percent < 100 ? `Uploading… ${percent} %` : "Storing…";
    });
    cancel.onclick = upload.cancel;
    try {
      const job = await upload.done;
      message.textContent = `${job.video_name} is in the queue.`;
      form.reset();
      onCreated(job);
    } catch (error) {
      message.className = "error";
      message.textContent = error.message;
    } finally {
      busy(false);
    }
  });
}
