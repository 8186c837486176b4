// @vitest-environment node
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

const LIMIT = 6 * 1024;

test("the core and the hook weigh at most 6 kB, gzipped, without supabase-js and React", async () => {
  const source = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: true,
      lib: { entry: { index: source("index"), react: source("react") }, formats: ["es"] },
      rollupOptions: { external: ["react", "@supabase/supabase-js"] },
    },
  });
  const chunks = (Array.isArray(built) ? built : [built]).flatMap((each) => ("output" in each ? each.output : []));
  const sizes = chunks.map((chunk) => ("code" in chunk ? gzipSync(chunk.code, { level: 9 }).length : 0));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`use-async-analysis, core and hook: ${bytes} bytes gzipped`);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThanOrEqual(LIMIT);
});
