// Brings what the pages use of others: rrweb's replayer, and nothing else of rrweb, as one ES module; and the typeface
// Inter. The output is byte by byte the same on every machine with the versions in package-lock.json; SHA256SUMS beside
// the files says which bytes those are.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const vendor = new URL("../assets/vendor/", import.meta.url).pathname;

/** @param {string} folder @param {string[]} names */
function sum(folder, names) {
  const lines = names.map((name) => {
    const digest = createHash("sha256").update(readFileSync(folder + name)).digest("hex");
    return `${digest}  ${name}\n`;
  });
  writeFileSync(`${folder}SHA256SUMS`, lines.join(""));
}

const rrweb = `${vendor}rrweb/`;
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
  outfile: `${rrweb}replayer.js`,
});
// Source maps are not shipped, so nothing may point at them.
const css = readFileSync("node_modules/rrweb/dist/style.min.css", "utf8");
writeFileSync(`${rrweb}replayer.css`, css.replace(/\n?\/\*# sourceMappingURL=.*\*\//, ""));
sum(rrweb, ["LICENSE", "replayer.css", "replayer.js"]);

const inter = `${vendor}inter/`;
copyFileSync("node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", `${inter}inter.woff2`);
copyFileSync("node_modules/@fontsource-variable/inter/LICENSE", `${inter}LICENSE`);
sum(inter, ["LICENSE", "inter.woff2"]);
