// Bundles rrweb's replayer, and nothing else of rrweb, into one ES module. The output is byte by byte the same on every
// machine with the versions in package-lock.json; vendor/rrweb/SHA256SUMS says which bytes those are.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const folder = new URL("../assets/vendor/rrweb/", import.meta.url).pathname;
const { version } = JSON.parse(readFileSync("node_modules/rrweb/package.json", "utf8"));

await build({
  stdin: { contents: 'export { Replayer } from "rrweb";', resolveDir: process.cwd() },
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  treeShaking: true,
  legalComments: "inline",
  charset: "ascii",
  banner: { js: `/* rrweb ${version} (replayer), MIT licence: see LICENSE */` },
  outfile: `${folder}replayer.js`,
});
// Source maps are not shipped, so nothing may point at them.
const css = readFileSync("node_modules/rrweb/dist/style.min.css", "utf8").replace(/\n?\/\*# sourceMappingURL=.*\*\//, "");
writeFileSync(`${folder}replayer.css`, css);

const sums = ["LICENSE", "replayer.css", "replayer.js"].map((name) => {
  const sum = createHash("sha256").update(readFileSync(folder + name)).digest("hex");
  return `${sum}  ${name}\n`;
});
writeFileSync(`${folder}SHA256SUMS`, sums.join(""));
