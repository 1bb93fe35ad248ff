import assert from 'node:assert/strict';

import { ALL } from './explore.mjs';
import { eventually, withinTime } from './page.mjs';

export const speedTests = [
  {
    name: 'the editor is painted within 300 ms',
    run: async (page) => {
      await page.page.addInitScript(() => {
        const seen = (window.__seen = {});
        const look = () => {
          for (const [name, selector] of [
            ['form', '[data-testid="query-editor"]'],
            ['editor', '[data-testid="cambium-code-field"] .view-lines'],
          ]) {
            if (!(name in seen) && document.querySelector(selector)) {
              seen[name] = performance.now();
            }
          }
        };
        new MutationObserver(look).observe(document, { childList: true, subtree: true });
      });
      let best = Infinity;
      // The best of some: other work of the machine is not what is measured.
      for (let i = 0; i < 5 && best >= 300; i++) {
        await page.open();
        const { form, editor } = await page.page.evaluate(() => window.__seen);
        best = Math.min(best, editor - form);
      }
      withinTime('painted in', best, 300);
    },
  },
  {
    name: 'a new query cancels the one that runs',
    run: async (page) => {
      await page.open();
      // Held back, so that it runs still when the next one starts.
      await page.page.route('**/api/ds/query*', async (route) => {
        if (route.request().postData().includes('slow')) {
          await new Promise((resolve) => setTimeout(resolve, 3000));
        }
        await route.continue().catch(() => undefined);
      });
      const aborted = page.page.waitForEvent(
        'requestfailed',
        (request) => request.postData()?.includes('slow') ?? false
      );
      await page.run(`${ALL} |= "slow"`);
      await page.get('cancel').waitFor();
      await Promise.all([aborted, page.run(ALL)]);
      await eventually(async () => assert.ok((await page.rows()) > 0));
    },
  },
];
