// Replaces the part of the page that changes as the server sends it anew. Without this a reload shows the same.
"use strict";

const live = document.querySelector("[data-live]");
const pulse = document.getElementById("pulse");
let source = null;

function listen() {
  source = new EventSource(location.href);
  source.addEventListener("message", (event) => {
    if (!isInUse()) {
      replace(event.data);
    }
    tell(`Live, as of ${new Date().toISOString().slice(11, 19)} UTC`, "live");
  });
  source.addEventListener("trouble", (event) => tell(`Not up to date: ${event.data}`, "stale"));
  source.addEventListener("error", () => tell("Not up to date: connecting again, or reload", "stale"));
}

function isInUse() {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && live.contains(selection.anchorNode);
}

function replace(html) {
  const next = new DOMParser().parseFromString(html, "text/html").body;
  for (const details of live.querySelectorAll("details[open][id]")) {
    next.querySelector(`#${details.id}`)?.setAttribute("open", "");
  }
  const scrolled = [...live.querySelectorAll(".scroll")].map((element) => element.scrollLeft);
  const focused = live.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && sameAs(live, focused).indexOf(focused);
  live.replaceChildren(...next.childNodes);
  live.querySelectorAll(".scroll").forEach((element, index) => (element.scrollLeft = scrolled[index] ?? 0));
  if (focused) {
    (sameAs(live, focused)[place] ?? document.getElementById("main")).focus({ preventScroll: true });
  }
}

/** What could have the focus in the same way: the links to one address, or the elements of one kind. */
function sameAs(root, element) {
  const href = element.getAttribute("href");
  return [...root.querySelectorAll(element.tagName)].filter((other) => other.getAttribute("href") === href);
}

function tell(text, state) {
  pulse.textContent = text;
  pulse.className = `pulse ${state}`;
}

function listenWhileSeen() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null) {
    listen();
  }
}

if (live !== null) {
  document.addEventListener("visibilitychange", listenWhileSeen);
  listenWhileSeen();
}
