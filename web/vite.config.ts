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

// Where `npm run dev` finds a service. Sign in at the development server's own address.
const service = process.env["WINTUN_API_URL"] ?? "http://127.0.0.1:9886";

/**
 * What the page needs at once is one file, which also has what its later parts share. What its
 * worker has too are files of their own, since a worker cannot load what draws the page.
 */
const GROUPS = [
  {
    name: "base",
    test: /src\/(wire\/(batch|control|close-codes)|packet\/(address|bytes|dissection|headers)|worker\/(ring|messages))\.ts/,
    priority: 5,
  },
  { name: "decoder", test: /src\/packet\/(?!build|hex)/, priority: 3 },
  { name: "filter", test: /src\/filter\//, priority: 2 },
  { name: "analysis", test: /src\/analysis\//, priority: 2 },
  // Rows, bytes and what is followed look alike in several views.
  { name: "table", test: /styles\/(packets|follow)\.css/, priority: 2 },
  { name: "engine", test: /src\/worker\/(?!worker\.ts)/, priority: 2 },
  {
    name: "app",
    test: /\/main\.tsx$|\/views\/(?:ui\/|Session(?:Note|Picker)\.|packets\/StreamStatus)/,
    priority: 1,
  },
  {
    name: "workbench",
    test: /src\/(models\/(workbench|compose|packet-|conversation-|follow\.)|packet\/(build|hex))/,
    priority: 0,
  },
];

export default defineConfig(({ mode }) => ({
  base: "/",
  build: {
    // The build is committed, so that an installation needs no Node: a few files, stable names.
    // What is imported when it is first shown is a file of its own.
    outDir: "../wintun_api/webui",
    emptyOutDir: false,
    copyPublicDir: mode !== "docs",
    assetsDir: "",
    target: "es2023",
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input:
        mode === "docs" ? "src/docs.ts" : { main: "index.html", worker: "src/worker/worker.ts" },
      output: {
        // TrafficView.tsx is traffic.js; the service has a list of these files.
        chunkFileNames: ({ name }) =>
          `${name.replace(/View$|Panel$|Dialog$/, "").toLowerCase()}.js`,
        entryFileNames: mode === "docs" ? "docs.js" : "[name].js",
        codeSplitting: mode === "docs" ? false : { groups: GROUPS },
        assetFileNames: ({ names: [name = "app.css"] }) =>
          name.replace(/View\.css$/, ".css").toLowerCase(),
      },
    },
  },
  server: {
    proxy: {
      "/v1": { target: service, ws: true },
      "/docs": service,
      "/guide": service,
      "^/\\?token=": service,
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
}));
