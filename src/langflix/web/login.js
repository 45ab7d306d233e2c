/** Asks for the API's token, where the server wants one, and forgets it again. */

import { getSession, login, logout } from "./api.js";
import { byId } from "./dom.js";

/**
 * Wait until the server lets this page in.
 * @returns {Promise<boolean>} whether there is a media share
 */
export async function letIn() {
  const session = await getSession().catch(() => null);
  if (session === null || session.allowed) return entered(session);
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
  return entered(await getSession().catch(() => null));
}

/** @param {object | null} session of this page, where the server told @returns {boolean} its share */
function entered(session) {
  // Who may only look is not offered what the server would refuse.
  document.body.classList.toggle("looking", session?.scope === "read");
  const button = byId("logout");
  button.hidden = !session?.needs_token;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await logout();
      location.reload();
    } catch (error) {
      button.disabled = false;
      byId("jobs-message").textContent = error.message;
    }
  });
  return session?.media_share ?? false;
}
