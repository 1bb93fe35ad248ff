import assert from 'node:assert/strict';

import { ALL } from './explore.mjs';
import { eventually } from './page.mjs';

/** Bodies of the queries that the page sends while it does something. */
async function sent(page, act) {
  const expressions = [];
  const note = (request) => {
    if (request.url().includes('/api/ds/query')) {
      expressions.push(...JSON.parse(request.postData()).queries.map(({ expr }) => expr));
    }
  };
  page.page.on('request', note);
  await act();
  page.page.off('request', note);
  return expressions;
}

export const dashboardTests = [
  {
    name: 'variables are put into the query, several values as alternatives',
    run: async (page) => {
      const more = { 'var-job': 'loghub', 'var-system': ['linux', 'hpc'] };
      const asked = await sent(page, async () => {
        await page.open({ expr: '{job="$job", service_name=~"$system|.+"} |= "$unknown" or "e"', more });
        assert.ok((await page.rows()) > 0);
      });
      assert.ok(
        asked.some((expr) => expr.includes('job="loghub"') && /\(linux\|hpc\)/.test(expr)),
        asked.join('\n')
      );
    },
  },
  {
    name: 'completion offers the variables of the dashboard',
    run: async (page) => {
      await page.open({ more: { 'var-job': 'loghub' } });
      await page.editor().click();
      await page.page.keyboard.type('{job="');
      await page.page.locator('.suggest-widget .monaco-list-row', { hasText: '$job' }).first().waitFor();
    },
  },
  {
    name: 'ad-hoc filters go into the selector or behind the parser, by the kind of their label',
    run: async (page) => {
      const more = { filter: ['job|=|loghub', 'detected_level|!=|debug'] };
      const asked = await sent(page, async () => {
        await page.open({ expr: ALL, more });
        assert.ok((await page.rows()) > 0);
      });
      const lines = asked.filter((expr) => !expr.includes('over_time'));
      assert.ok(
        lines.some((expr) => /\{[^}]*job="loghub"[^}]*\} \| detected_level!="debug"/.test(expr)),
        asked.join('\n')
      );
    },
  },
  {
    name: 'a link to a line leads to it',
    run: async (page) => {
      await page.open({ expr: ALL });
      const chosen = page.get('log-row').nth(15);
      await chosen.click();
      const body = await page.get('log-details').locator('pre').innerText();
      await page.page.getByRole('button', { name: 'Copy link to line' }).click();
      const address = await page.page.evaluate(() => navigator.clipboard.readText());
      await page.page.goto(address);
      await page.get('log-details').waitFor();
      assert.equal(await page.get('log-details').locator('pre').innerText(), body);
      const selected = page.page.locator('[data-testid="log-row"][aria-selected="true"]');
      await eventually(async () => assert.equal(await selected.isVisible(), true));
    },
  },
  {
    name: 'the texts are in the language of the user',
    run: async (page) => {
      await page.open({ expr: ALL, more: { lang: 'de-DE' } });
      await page.rows();
      await page.page.getByRole('button', { name: 'Formatieren' }).waitFor();
      await page.page.getByLabel('Erklären').click({ force: true });
      await page.get('cambium-explain').getByText('Die Zeilen der Streams mit diesen Labels nehmen.').waitFor();
      await page.screenshots('german');
      await page.open({ hash: '#config', more: { lang: 'de-DE' } });
      await page.page.getByRole('button', { name: 'Testzeile senden' }).waitFor();
    },
  },
];
