// Waits for a service that is being restarted, which may be the one that serves this page, and goes back to the list.
const notice = document.getElementById("restarting");
const { service, back } = notice.dataset;
const began = Date.now();

async function isBack() {
  const answer = await fetch(back, { cache: "no-store", credentials: "same-origin" });
  if (answer.redirected) {
    return true; // logged out meanwhile: the list says so
  }
  if (!answer.ok) {
    return false;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const row = page.querySelector(`tr[data-service="${service}"]`);
  const young = row && row.dataset.uptimeS !== "" && Number(row.dataset.uptimeS) * 1000 <= Date.now() - began;
  return Boolean(row) && row.dataset.state === "ready" && young;
}

async function wait() {
  const back_again = await isBack().catch(() => false);
  if (back_again) {
    location.replace(back);
    return;
  }
  if (Date.now() - began > 90_000) {
    notice.textContent = `${service} has not come back within 90 s. Its log says why; so does imputehub status.`;
  }
  setTimeout(wait, 1000);
}

setTimeout(wait, 2000);
