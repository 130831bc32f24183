// What pages do beyond links and forms. Without it they work all the same: forms have buttons, and pages can be reloaded.
"use strict";

// Puts new content in place of old without taking the keyboard's place away.
function replace(region, html) {
  const focused = document.activeElement && region.contains(document.activeElement) ? document.activeElement.id : "";
  region.innerHTML = html;
  if (focused) document.getElementById(focused)?.focus();
}

// A region that follows something: the server sends it anew at each change, and says when there will be no more.
function follow(region) {
  const status = document.getElementById(region.dataset.status);
  const source = new EventSource(region.dataset.follow);
  source.addEventListener("change", (event) => replace(region, event.data));
  source.addEventListener("status", (event) => {
    if (status && status.textContent !== event.data) status.textContent = event.data;
  });
  source.addEventListener("end", () => source.close());
  addEventListener("pagehide", () => source.close());
}

// A form whose answer replaces a region of the page: as a slider moves, without its button.
function attach(form) {
  const region = document.getElementById(form.dataset.into);
  let asked = 0;
  const send = async () => {
    const turn = ++asked;
    region.setAttribute("aria-busy", "true");
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "x-fragment": "1" },
      body: new URLSearchParams(new FormData(form)),
    }).catch(() => Response.error());
    const html = await answer.text();
    if (turn !== asked) return;
    region.removeAttribute("aria-busy");
    // A key is asked for, or the session has ended: that is a page of its own.
    if (answer.redirected) location.assign(answer.url);
    else if (answer.ok) replace(region, html);
    else region.textContent = "The console did not answer as it should; reload the page.";
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  form.addEventListener("change", send);
}

// A slider tells its value as a date while it moves.
function tell(slider) {
  const output = document.getElementById(slider.dataset.told);
  slider.addEventListener("input", () => {
    const at = new Date(Number(slider.value) * 1000).toISOString();
    output.textContent = `${at.slice(0, 10)} ${at.slice(11, 16)}`;
  });
}

// What cannot be undone is asked for twice.
function confirmed(form) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.confirm)) event.preventDefault();
  });
}

document.querySelectorAll("[data-follow]").forEach(follow);
document.querySelectorAll("form[data-into]").forEach(attach);
document.querySelectorAll("input[data-told]").forEach(tell);
document.querySelectorAll("form[data-confirm]").forEach(confirmed);
