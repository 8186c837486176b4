import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const library = (name: string) =>
  fileURLToPath(new URL(`./packages/use-async-analysis/src/${name}.ts`, import.meta.url));

export default defineConfig({
  plugins: [react()],
  resolve: {
    // The library as source: nobody has to build it before the app.
    alias: [
      { find: "use-async-analysis/legacy", replacement: library("legacy") },
      { find: "use-async-analysis/react", replacement: library("react") },
      { find: "use-async-analysis", replacement: library("index") },
    ],
  },
  build: { chunkSizeWarningLimit: 700 },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "packages/*/test/**/*.test.{ts,tsx}"],
    setupFiles: ["src/strict.ts"],
    restoreMocks: true,
    unstubGlobals: true,
    pool: "threads",
    maxWorkers: 1,
  },
});
