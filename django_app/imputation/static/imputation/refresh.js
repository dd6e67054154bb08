// Keeps one part of a page fresh: `data-refresh-every` (seconds) is replaced by itself out of the page, loaded anew.
const region = document.querySelector("[data-refresh-every]");
const pauseButton = document.querySelector("[data-refresh-switch]");
const state = document.querySelector("[data-refresh-state]");
let paused = false;

function say(words) {
  if (state.textContent !== words) {
    state.textContent = words;
  }
}

async function loadPage() {
  const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
  if (answer.redirected) {
    location.reload(); // logged out meanwhile
  }
  if (!answer.ok) {
    throw new Error(`the admin answers ${answer.status}`);
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function isBeingRead() {
  const selection = getSelection();
  return !selection.isCollapsed && region.contains(selection.anchorNode);
}

function replaceContent(fresh) {
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  region.replaceChildren(...fresh.childNodes);
  region.dataset.refreshEvery = fresh.dataset.refreshEvery || region.dataset.refreshEvery;
  if (focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

async function refresh() {
  if (!paused && !document.hidden && !isBeingRead()) {
    try {
      const fresh = (await loadPage()).getElementById(region.id);
      if (fresh && !paused) {
        replaceContent(fresh);
        say("");
      }
    } catch (error) {
      say(`Not refreshed: ${error.message}. What is shown is old.`);
    }
  }
  setTimeout(refresh, region.dataset.refreshEvery * 1000);
}

if (region && pauseButton) {
  pauseButton.hidden = false;
  pauseButton.addEventListener("click", () => {
    paused = !paused;
    pauseButton.textContent = paused ? "Go on" : "Pause";
    say(paused ? "Refreshing is paused." : "");
  });
  setTimeout(refresh, region.dataset.refreshEvery * 1000);
}
