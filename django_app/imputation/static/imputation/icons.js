// The frame writes its icons as words ("cable") that a font draws: they are not to be read out before the words beside.
document.addEventListener("DOMContentLoaded", () => {
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    const owner = icon.closest("a, button") ?? icon.parentElement;
    if (owner.title || owner.textContent.trim() !== icon.textContent.trim()) {
      icon.setAttribute("aria-hidden", "true");
    }
  }
});
