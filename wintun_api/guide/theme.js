// The theme that was chosen on the dashboard. Without one the system's is shown, by page.css alone.
try {
  const theme = localStorage.getItem("wintun-api.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The browser keeps nothing for this page, so no theme was chosen.
}
// On a small screen the topics would hide the text, so they are folded there.
document.addEventListener("DOMContentLoaded", () => {
  const topics = document.querySelector(".topics details");
  if (topics !== null && matchMedia("(max-width: 800px)").matches) topics.open = false;
});
