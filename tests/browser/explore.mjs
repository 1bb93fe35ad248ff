import assert from 'node:assert/strict';

import { eventually } from './page.mjs';

/** A selector that every stored line matches. */
export const ALL = '{service_name=~".+"}';

export const exploreTests = [
  {
    name: 'a log query shows lines and their histogram',
    run: async (page) => {
      await page.open();
      await page.run(ALL);
      assert.ok((await page.rows()) > 0);
      await page.get('histogram').locator('rect').first().waitFor();
      await page.screenshots('explore');
    },
  },
  {
    name: 'the light theme shows the same',
    run: async (page) => {
      await page.open({ expr: ALL, theme: 'light' });
      assert.ok((await page.rows()) > 0);
      await page.get('histogram').locator('rect').first().waitFor();
    },
  },
  {
    name: 'the query is highlighted',
    run: async (page) => {
      await page.open({ expr: `${ALL} |= "x" | json` });
      await eventually(async () => {
        const classes = await page
          .editor()
          .locator('span[class^="mtk"]')
          .evaluateAll((spans) => new Set(spans.map((span) => span.className)).size);
        assert.ok(classes > 2, `${classes} kinds of token`);
      });
    },
  },
  {
    name: 'a line filter narrows the lines',
    run: async (page) => {
      await page.open({ expr: ALL });
      await page.rows();
      const shown = await page.get('log-row').locator('span:last-child').allInnerTexts();
      const word = shown.join('\n').match(/\w{5,}/)[0];
      await page.run(`${ALL} |= "${word}"`);
      await eventually(async () => {
        const lines = await page.get('log-row').locator('span:last-child').allInnerTexts();
        assert.ok(lines.length > 0 && lines.every((line) => line.includes(word)), `all lines contain ${word}`);
      });
    },
  },
  {
    name: 'the line limit is kept',
    run: async (page) => {
      await page.open({ expr: ALL });
      await page.rows();
      await page.page.getByRole('button', { name: /Options/ }).click();
      await page.page.getByLabel('Line limit').fill('7');
      await page.page.getByLabel('Line limit').press('Enter');
      await eventually(async () => assert.equal(await page.rows(), 7));
    },
  },
  {
    name: 'forward begins with the oldest line',
    run: async (page) => {
      await page.open({ expr: ALL });
      await page.rows();
      await page.page.getByRole('button', { name: /Options/ }).click();
      await Promise.all([
        page.page.waitForRequest((r) => r.url().includes('/api/ds/query') && r.postData()?.includes('"forward"')),
        page.page.getByRole('radio', { name: 'Forward' }).click({ force: true }),
      ]);
      await page.rows();
    },
  },
  {
    name: 'a metric query shows a graph and a table',
    run: async (page) => {
      await page.open({ expr: `sum by (service_name) (count_over_time(${ALL}[5m]))` });
      await page.get('graph').locator('path').first().waitFor({ state: 'attached' });
      assert.ok((await page.rowsOfTable()) > 0);
      await page.screenshots('metric');
    },
  },
  {
    name: 'a syntax error is told with its position',
    run: async (page) => {
      await page.open();
      await page.run('{service_name="x"} |= ');
      const text = await page.get('query-error').first().innerText();
      assert.match(text, /parse error|syntax error/i);
    },
  },
  {
    name: 'details show the labels of a line',
    run: async (page) => {
      await page.open({ expr: ALL });
      await page.get('log-row').first().click();
      await page.get('label-service_name').waitFor();
      await page.screenshots('details');
    },
  },
];
