/** Build, development server and tests of the dashboard. */

import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

// A system's browser: nothing is downloaded, and one under root needs no sandbox.
const chromium = {
  executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

// Where `npm run dev` finds a service; sign in there first, its cookie counts for this port too.
const service = process.env["WINTUN_API_URL"] ?? "http://127.0.0.1:9886";

export default defineConfig({
  base: "/",
  build: {
    // The build is committed, so that an installation needs no Node: three files, stable names.
    outDir: "../wintun_api/webui",
    emptyOutDir: false,
    assetsDir: "",
    target: "es2023",
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: false,
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
      },
    },
  },
  server: {
    proxy: {
      "/v1": { target: service, ws: true, changeOrigin: true },
      "/docs": service,
    },
  },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: chromium }),
      instances: [{ browser: "chromium" }],
    },
  },
});
