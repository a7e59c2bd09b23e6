/** How the console is built: one page, hashed files, and the API's page beside it. */
import react from "@vitejs/plugin-react";
// @ts-expect-error the build runs in Node, whose types are not worth a dependency
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const swagger = "node_modules/swagger-ui-dist/";

/** Copies what the page of the API needs, so that it asks nothing outside. */
function apiDocs(): Plugin {
  return {
    name: "api-docs",
    generateBundle() {
      const files: Record<string, string> = {
        "index.html": "docs/index.html",
        "start.js": "docs/start.js",
        "swagger-ui.css": `${swagger}swagger-ui.css`,
        "swagger-ui-bundle.js": `${swagger}swagger-ui-bundle.js`,
        "LICENSE": `${swagger}LICENSE`,
        "NOTICE": `${swagger}NOTICE`,
      };
      for (const [name, from] of Object.entries(files)) {
        // The map it names is not shipped: a browser would ask for it in vain.
        const source = readFileSync(from, "utf8").replace(/\n\/[/*]# sourceMappingURL=.*$/m, "");
        this.emitFile({ type: "asset", fileName: `docs/${name}`, source });
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), apiDocs()],
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    // Anything inlined as data: would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      "/api": { target: "http://127.0.0.1:8470", ws: true },
      "/health": "http://127.0.0.1:8470",
    },
  },
});
