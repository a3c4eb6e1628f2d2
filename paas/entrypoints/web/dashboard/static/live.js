// Live parts: the log and the output of a deploy. Everything else works without this file.
"use strict";

const KEPT = 5000;
const AGAIN_MS = 1000;
const LOG_LINE = /^(\S+T(\d\d:\d\d:\d\d)\S*) \w+\[([^\]]*)\]: (.*)$/s;

function say(text) {
  const status = document.getElementById("live");
  if (status) status.textContent = text;
}

function span(kind, text) {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = text;
  return made;
}

function line(text) {
  const row = document.createElement("span");
  const found = LOG_LINE.exec(text);
  if (found) {
    const at = span("at", found[2]);
    at.title = found[1];
    row.append(at, " ", span("of", found[3]), ` ${found[4]}\n`);
  } else {
    row.textContent = `${text}\n`;
  }
  return row;
}

// The page as it is after the end of a deploy; the server may not answer at this moment.
function load() {
  fetch(location.href, { cache: "no-store" })
    .then((answer) => (answer.ok ? location.reload() : Promise.reject()))
    .catch(() => setTimeout(load, AGAIN_MS));
}

function follow(box) {
  const source = new EventSource(`/streams/${box.dataset.stream}`);
  let isFresh = true;
  box.scrollTop = box.scrollHeight;
  source.onopen = () => say("Live");
  source.onmessage = (event) => {
    if (isFresh) box.replaceChildren();
    const isAtEnd = isFresh || box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    isFresh = false;
    box.append(line(event.data));
    while (box.childElementCount > KEPT) box.firstElementChild.remove();
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  };
  source.onerror = () => {
    if ("ends" in box.dataset) {
      source.close();
      setTimeout(load, AGAIN_MS);
    } else if (source.readyState === EventSource.CLOSED) {
      say("No longer live: load the page again.");
    } else {
      say("Connecting again…");
    }
  };
}

for (const box of document.querySelectorAll("[data-stream]")) follow(box);
