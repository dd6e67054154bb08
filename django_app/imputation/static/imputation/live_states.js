// Keeps what the registry knows of each row as it is: elements with `data-sync-subject` are asked for every second.
const LIVE_STATES_PAUSE_MS = 1000;

async function refreshStates() {
  const elements = [...document.querySelectorAll("[data-sync-subject]")];
  if (elements.length && !document.hidden) {
    const subjects = [...new Set(elements.map((element) => element.dataset.syncSubject))];
    const answer = await fetch(`/admin/outbox/delivery/states/?subjects=${subjects.join(",")}`, {
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error", // logged out meanwhile
    });
    const states = answer.ok ? await answer.json() : {};
    for (const element of elements) {
      const words = states[element.dataset.syncSubject];
      if (words && element.textContent !== words) {
        element.textContent = words;
      }
    }
  }
}

async function keepStatesFresh() {
  await refreshStates().catch(() => {}); // what is shown stays until the admin answers again
  setTimeout(keepStatesFresh, LIVE_STATES_PAUSE_MS);
}

keepStatesFresh();
document.addEventListener("visibilitychange", () => refreshStates().catch(() => {}));
