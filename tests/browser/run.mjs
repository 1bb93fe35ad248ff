// The browser suite: drives the workbench page in a real Chromium as a person would.
//
//   WORKBENCH_URL=http://127.0.0.1:3000 npm run test:browser [part of a test's name]
//
// CHROMIUM names the browser; test-results/ gets a screenshot of every view in both themes.
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';

import { Page, Skip } from './page.mjs';
import { tests } from './tests.mjs';

const url = process.env.WORKBENCH_URL;
const only = process.argv[2];
const OUT = 'test-results';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

if (!url) {
  console.error('WORKBENCH_URL is not set: start the workbench and give its address');
  process.exit(2);
}

await mkdir(OUT, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: FLAGS,
});

let passed = 0;
const failed = [];
for (const { name, run } of tests.filter((test) => !only || test.name.includes(only))) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 1000 },
    permissions: ['clipboard-read', 'clipboard-write'],
    acceptDownloads: true,
    // Screenshots show a state, not the way to it.
    reducedMotion: 'reduce',
    baseURL: url,
  });
  const page = new Page(await context.newPage(), url, OUT);
  const began = Date.now();
  try {
    await run(page);
    page.expectNoPageErrors();
    passed++;
    console.log(`ok   ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    if (error instanceof Skip) {
      console.log(`skip ${name}: ${error.message}`);
      continue;
    }
    failed.push(name);
    console.log(`FAIL ${name}\n     ${String(error?.stack ?? error).replace(/\n/g, '\n     ')}`);
    await page.screenshot(`failed-${name.replace(/\W+/g, '-')}`).catch(() => undefined);
  } finally {
    await context.close();
  }
}
await browser.close();

console.log(`${passed} passed, ${failed.length} failed`);
process.exit(failed.length ? 1 : 0);
