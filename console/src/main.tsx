/** Puts the console on the page. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "uplot/dist/uPlot.min.css";
import { App } from "./app";
import "./styles.css";

/** After an update the server no longer has the parts of the old console: the page is loaded anew, once. */
window.addEventListener("vite:preloadError", (event) => {
  const last = Number(sessionStorage.getItem("loaded anew"));
  if (Date.now() - last < 60_000) return;
  event.preventDefault();
  sessionStorage.setItem("loaded anew", String(Date.now()));
  location.reload();
});

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
