import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** Puts src/first.js before everything else as a file of its own: the page's policy allows no inline script, and a
 * module would run only after the first paint, in the wrong colours for whoever chose the other theme. */
function themeFirst(): Plugin {
  let file = "";
  return {
    name: "theme-first",
    apply: "build",
    buildStart() {
      file = this.emitFile({ type: "asset", name: "first.js", source: readFileSync("src/first.js", "utf-8") });
    },
    transformIndexHtml: {
      order: "post",
      handler(_, context) {
        const name = Object.values(context.bundle ?? {}).find(
          (part) => part.type === "asset" && part.names.includes("first.js"),
        )?.fileName;
        if (!name || !file) throw new Error("first.js was not built");
        return [{ tag: "script", attrs: { src: `./${name}` }, injectTo: "head-prepend" }];
      },
    },
  };
}

// The service answers the page at /bot-performance and its files below it, whatever the stage's path before that is:
// every address is relative, and the folder is flat.
export default defineConfig({
  base: "./",
  plugins: [themeFirst()],
  build: {
    assetsDir: ".",
    assetsInlineLimit: 0,
    target: "es2023",
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
