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

async function refresh() {
  if (!paused && !document.hidden) {
    try {
      const fresh = (await loadPage()).getElementById(region.id);
      if (fresh && !paused) {
        region.replaceChildren(...fresh.childNodes);
        say("");
      }
    } catch (error) {
      say(`Not refreshed: ${error.message}. The table is old.`);
    }
  }
  setTimeout(refresh, region.dataset.refreshEvery * 1000);
}

pauseButton.hidden = false;
pauseButton.addEventListener("click", () => {
  paused = !paused;
  pauseButton.textContent = paused ? "Go on" : "Pause";
  say(paused ? "Refreshing is paused." : "");
});
say("");
setTimeout(refresh, region.dataset.refreshEvery * 1000);
