// Builds the workbench page: one page with the real Grafana libraries that mounts the plugin's built module.js.
import { build } from 'esbuild';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, 'dist');
const require = createRequire(import.meta.url);
const grafanaUi = path.dirname(require.resolve('@grafana/ui/package.json'));

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: 'es2022',
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.TZ': 'undefined', global: 'globalThis' },
  mainFields: ['browser', 'module', 'main'],
  conditions: ['browser'],
  loader: { '.ttf': 'file', '.woff': 'file', '.woff2': 'file', '.svg': 'file', '.png': 'file' },
  // A dependency of a dependency asks for Node's streams and does without them in a browser.
  alias: { stream: path.join(here, 'src/empty.ts') },
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  ...shared,
  entryPoints: { main: 'src/main.tsx' },
  outdir: out,
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  assetNames: 'assets/[name]-[hash]',
});
await build({
  ...shared,
  entryPoints: { 'editor.worker': require.resolve('monaco-editor/esm/vs/editor/editor.worker.js') },
  outdir: out,
  format: 'iife',
});
// Where Grafana serves the icons that @grafana/ui asks for.
await cp(path.join(grafanaUi, 'dist/public/img/icons'), path.join(out, 'public/build/img/icons'), { recursive: true });
await cp(path.join(here, '../src/img/logo.svg'), path.join(out, 'logo.svg'));
await writeFile(
  path.join(out, 'index.html'),
  `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Cambium workbench</title>
    <link rel="icon" href="/logo.svg">
    <link rel="stylesheet" href="/main.css">
  </head>
  <body>
    <div id="root"></div>
    <script type="module" src="/main.js"></script>
  </body>
</html>
`
);
