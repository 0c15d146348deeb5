// Signing in with a token: it goes to the server once, which answers with a cookie no script can read.

import { ApiError, sendFor } from "../common/api.js";
import { themeToggle } from "../common/header.js";
import { button, fill, find, h, icon, plain } from "../common/ui.js";
import { mark } from "../common/icons.js";

const LONGEST_TOKEN = 500;

/**
 * Where to go after signing in: a place on this server and nowhere else.
 * @param {string} search
 */
function destination(search) {
  const asked = new URLSearchParams(search).get("next") ?? "/";
  try {
    const url = new URL(asked, location.origin);
    const isOurs = asked.startsWith("/") && url.origin === location.origin && url.pathname !== "/login";
    return isOurs ? url.pathname + url.search + url.hash : "/";
  } catch {
    return "/";
  }
}

/**
 * @param {unknown} error
 * @returns {string} what to do about it
 */
function advice(error) {
  const status = error instanceof ApiError ? error.status : -1;
  if (status === 401 || status === 400 || status === 403)
    return "This token is not valid here: it may be mistyped, expired or revoked.";
  return plain(error instanceof Error ? error.message : String(error), 300);
}

function build() {
  const token = h("input", {
    class: "input mono",
    id: "token",
    name: "token",
    type: "password",
    maxlength: LONGEST_TOKEN,
    required: true,
    autocomplete: "current-password",
    spellcheck: "false",
    autocapitalize: "none",
    placeholder: "wince_…",
    "aria-describedby": "token-help token-problem",
  });
  const reveal = button("Show the token", {
    icon: "eye",
    iconOnly: true,
    kind: "ghost",
    attributes: { "aria-pressed": "false" },
  });
  reveal.addEventListener("click", () => {
    const isShown = token.type === "text";
    token.type = isShown ? "password" : "text";
    reveal.setAttribute("aria-pressed", String(!isShown));
  });
  const problem = h("p", { class: "login-problem", id: "token-problem", role: "alert" });
  const submit = h("button", { type: "submit", class: "button primary" }, "Sign in");
  const form = h(
    "form",
    { class: "column login-form", novalidate: true },
    h(
      "div",
      { class: "field" },
      h("label", { for: "token" }, "Token"),
      h("div", { class: "login-token" }, token, reveal),
    ),
    problem,
    submit,
    h(
      "p",
      { class: "soft small", id: "token-help" },
      "Who runs this server makes tokens with ",
      h("code", {}, "wince token"),
      ". A link somebody shared with you needs none.",
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const value = token.value.trim();
    fill(problem);
    token.removeAttribute("aria-invalid");
    if (!value) {
      refuse("Paste a token first.");
      return;
    }
    submit.disabled = true;
    try {
      await sendFor("POST", "/login", { token: value });
      location.replace(destination(location.search));
    } catch (error) {
      refuse(advice(error));
      token.select();
    } finally {
      submit.disabled = false;
    }
  });

  /** @param {string} text */
  function refuse(text) {
    fill(problem, icon("warn"), h("span", {}, text));
    token.setAttribute("aria-invalid", "true");
    token.focus();
  }

  const brand = h("div", { class: "login-brand" }, mark(), "Wince");
  document.body.append(
    h("div", { class: "login-theme" }, themeToggle()),
    h(
      "main",
      { class: "login" },
      brand,
      h(
        "div",
        { class: "panel login-panel" },
        h("h1", {}, "Sign in"),
        h("p", { class: "soft" }, "To watch sessions of your projects."),
        form,
      ),
    ),
  );
  find("#token").focus();
}

build();
