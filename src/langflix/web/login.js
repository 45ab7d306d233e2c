/** Asks for the API's token, where the server wants one. */

import { getSession, login } from "./api.js";
import { byId } from "./dom.js";

/**
 * Wait until the server lets this page in.
 * @returns {Promise<boolean>} whether there is a media share
 */
export async function letIn() {
  const session = await getSession().catch(() => null);
  if (session === null || session.allowed) return session?.media_share ?? false;
  const form = byId("login-form");
  const message = byId("login-message");
  const field = form.elements.token;
  const rest = [byId("new"), byId("lessons")];
  const lock = (on) => {
    form.hidden = !on;
    for (const part of rest) part.hidden = on;
  };
  lock(true);
  field.focus();
  await new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      message.textContent = "";
      field.removeAttribute("aria-invalid");
      try {
        await login(field.value);
        resolve();
      } catch (error) {
        message.textContent = error.message;
        field.setAttribute("aria-invalid", "true");
        field.select();
      }
    });
  });
  lock(false);
  byId("jobs-title").focus();
  return session.media_share;
}
