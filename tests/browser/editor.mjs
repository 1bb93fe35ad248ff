import assert from 'node:assert/strict';

import { ALL } from './explore.mjs';
import { eventually } from './page.mjs';

const RESOURCES = '/api/datasources/uid/cambium/resources';

export const editorTests = [
  {
    name: 'a query is typed with completion only',
    run: async (page) => {
      await page.open();
      const { keyboard } = page.page;
      const suggestion = (text) => page.page.locator('.suggest-widget .monaco-list-row', { hasText: text }).first();
      await page.editor().click();
      await keyboard.type('{');
      await suggestion('service_name').waitFor();
      await keyboard.type('service');
      await eventually(() => suggestion('service_name').waitFor());
      await keyboard.press('Tab');
      // The list opens again for the value.
      const answer = await page.page.request.get(`${page.base}${RESOURCES}/loki/api/v1/label/service_name/values`);
      const value = (await answer.json()).data[0];
      await suggestion(value).waitFor();
      await page.screenshots('completion');
      await suggestion(value).click();
      await eventually(async () => assert.ok((await page.editorText()).includes(`{service_name="${value}"}`)));
      await keyboard.press('End');
      await keyboard.press('Escape');
      await keyboard.type(' | ');
      await suggestion('json').waitFor();
      await keyboard.type('logf');
      await keyboard.press('Tab');
      await eventually(async () => assert.match(await page.editorText(), /\| logfmt$/));
      await keyboard.press('Shift+Enter');
      assert.ok((await page.rows()) > 0);
    },
  },
  {
    name: 'completion asks once, not at every key',
    run: async (page) => {
      await page.open();
      await page.type('{service_na');
      await page.page.waitForTimeout(800);
      const asked = page.requests.filter((request) => request.endsWith('/loki/api/v1/labels'));
      assert.ok(asked.length <= 1, `${asked.length} requests for labels`);
    },
  },
  {
    name: 'a syntax error is underlined where it is',
    run: async (page) => {
      await page.open();
      await page.type('{service_name="x"} foo');
      await page.page.locator('.monaco-editor .squiggly-error').first().waitFor();
    },
  },
  {
    name: 'the label browser makes a selector',
    run: async (page) => {
      await page.open();
      await page.page.getByRole('button', { name: 'Label browser' }).click();
      const dialog = page.page.getByRole('dialog');
      await dialog.getByRole('group', { name: 'Labels' }).getByText('service_name', { exact: true }).click();
      const values = dialog.getByRole('group', { name: 'Values of service_name' });
      await values.getByRole('checkbox').first().check({ force: true });
      await page.screenshots('label-browser');
      await dialog.getByRole('button', { name: 'Use selector' }).click();
      await eventually(async () => assert.match(await page.editorText(), /^\{service_name="/));
    },
  },
  {
    name: 'builder and code show the same query',
    run: async (page) => {
      await page.open({ expr: `sum by (service_name) (count_over_time(${ALL} |= "a" [5m]))` });
      await page.page.getByRole('radio', { name: 'Builder' }).click({ force: true });
      const stage = page.page.getByLabel('Stage 1', { exact: true });
      assert.equal(await stage.inputValue(), '|= "a"');
      await stage.fill('|= "e"');
      await stage.press('Enter');
      await page.screenshots('builder');
      await page.page.getByRole('radio', { name: 'Code' }).click({ force: true });
      await eventually(async () => assert.match(await page.editorText(), /\|= "e"/));
    },
  },
  {
    name: 'the query is explained and its size estimated',
    run: async (page) => {
      await page.open({ expr: `${ALL} |= "a"` });
      await page.page.getByLabel('Explain').click({ force: true });
      await page.get('cambium-explain').getByText('Keep the lines that contain a text.').waitFor();
      await page.page.getByText(/Up to .* lines of .* streams/).waitFor();
    },
  },
  {
    name: 'the editor can be left by keyboard',
    run: async (page) => {
      await page.open();
      await page.editor().click();
      await page.page.keyboard.press('Escape');
      await page.page.keyboard.press('Tab');
      const inside = await page.page.evaluate(() => Boolean(document.activeElement?.closest('.monaco-editor')));
      assert.equal(inside, false);
    },
  },
  {
    name: 'everything that matched can be downloaded',
    run: async (page) => {
      await page.open({ expr: `${ALL} |= "a"` });
      await page.rows();
      const [download] = await Promise.all([
        page.page.waitForEvent('download'),
        page.page.getByRole('link', { name: 'Download' }).click(),
      ]);
      const stream = await download.createReadStream();
      let text = '';
      for await (const chunk of stream) {
        text += chunk;
      }
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.ok(lines.length > 0 && lines.every(({ line }) => line.includes('a')));
    },
  },
];
