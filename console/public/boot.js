// Before the first paint, so that a dark screen never flashes white.
(() => {
  let theme = "system";
  try {
    theme = localStorage.getItem("lineshaft.theme") || "system";
  } catch {
    // A browser that keeps nothing gets the system's theme.
  }
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
