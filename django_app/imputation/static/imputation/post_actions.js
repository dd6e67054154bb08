// Buttons that do something are links to a page that asks first; with this script one click sends that page's form.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-post]");
  const token = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (!link || !token) {
    return;
  }
  event.preventDefault();
  if (link.hasAttribute("aria-busy")) {
    return;
  }
  link.setAttribute("aria-busy", "true");
  const form = document.createElement("form");
  form.method = "post";
  form.action = link.href;
  form.append(token.cloneNode());
  document.body.append(form);
  form.submit();
});

// A page that the browser brings back from its memory must not keep its buttons busy.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("a[data-post][aria-busy]").forEach((link) => link.removeAttribute("aria-busy"));
});
