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
  form.hidden = false;
  await new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      message.textContent = "";
      try {
        await login(form.elements.token.value);
        resolve();
      } catch (error) {
        message.textContent = error.message;
      }
    });
  });
  form.hidden = true;
  return session.media_share;
}
