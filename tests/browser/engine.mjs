import assert from 'node:assert/strict';

import { ALL } from './explore.mjs';
import { eventually, metric } from './page.mjs';

/** Works for minutes when nothing stops it. */
const ENDLESS = Array(200).fill(`max_over_time(rate(${ALL}[1m])[1d:200ms])`).join(' + ');

/** Runs the endless query, ends it in a way, and sees the engine stop working at it. */
async function stopped(page, end) {
  const { context } = page;
  const cancelled = () => metric(context, 'cambium_query_ended_total', 'outcome="cancelled"');
  const before = await cancelled();
  await page.open();
  await page.run(ENDLESS);
  await eventually(async () => assert.ok((await metric(context, 'cambium_query_running')) > 0));
  await end();
  await eventually(async () => {
    assert.equal(await metric(context, 'cambium_query_running'), 0);
    assert.ok((await cancelled()) > before);
  });
}

export const engineTests = [
  {
    name: 'the engine stops working when the query is cancelled',
    run: (page) => stopped(page, () => page.get('cancel').click()),
  },
  {
    name: 'the engine stops working when another query is run',
    run: (page) =>
      stopped(page, async () => {
        await page.run(ALL);
        assert.ok((await page.rows()) > 0);
      }),
  },
  {
    name: 'the engine stops working when the page is closed',
    run: (page) => stopped(page, () => page.page.close()),
  },
  {
    name: 'the engine tells its plan and what it read',
    run: async (page) => {
      await page.open({ expr: `sum by (service_name) (count_over_time(${ALL} |= "error" [5m]))` });
      await page.get('graph').waitFor();
      await page.page.getByLabel('Explain').click({ force: true });
      const plan = page.get('cambium-plan');
      await plan.waitFor();
      const text = await plan.innerText();
      assert.match(text, /A line must contain\s+error/);
      assert.match(text, /bytes processed\s+[\d.]+ \w*B/);
      assert.match(text, /chunks/);
      await page.screenshots('explain');
    },
  },
  {
    name: 'a limit that was hit is told with how to narrow the query',
    run: async (page) => {
      await page.open({ expr: `sum by (word) (count_over_time(${ALL} | regexp "(?P<word>\\\\S+)$" [1h]))` });
      const notice = page.get('query-notice').first();
      await notice.waitFor();
      assert.match(await notice.innerText(), /series/);
      assert.match(await notice.innerText(), /by|matcher|narrow|reduc/i);
      assert.ok((await page.rowsOfTable()) > 0);
      await page.screenshots('limit');
    },
  },
  {
    name: 'an instant query tells a line behind each number',
    run: async (page) => {
      await page.open({ expr: `sum by (system) (count_over_time({job="loghub"} |= "error" [24h]))` });
      await page.rowsOfTable();
      await page.page.getByRole('button', { name: /Options/ }).click();
      await page.page.getByRole('radio', { name: 'Instant' }).click({ force: true });
      await page.page.locator('[id^="cambium-sample-"]').click({ force: true });
      await eventually(async () => assert.match(await page.get('metric-table').innerText(), /sample_line="[^"]*error/));
    },
  },
];
