import { expect, test } from '@grafana/plugin-e2e';
import type { APIRequestContext, Locator, Page } from '@playwright/test';

const TYPE = 'cambium-logs-datasource';
const JOB = `e2e-${Date.now()}`;
const LINES = Array.from({ length: 20 }, (_, i) => `level=${i % 4 ? 'info' : 'error'} n=${i} a line of the test`);

/** The first data source of this type that the Grafana has; one is made where there is none. */
async function dataSource(request: APIRequestContext): Promise<{ uid: string; name: string }> {
  const all: Array<{ type: string; uid: string; name: string }> = await (await request.get('/api/datasources')).json();
  const found = all.find(({ type }) => type === TYPE);
  if (found) {
    return found;
  }
  const made = await request.post('/api/datasources', { data: { name: 'Cambium e2e', type: TYPE, access: 'proxy' } });
  return (await made.json()).datasource;
}

async function push(request: APIRequestContext, uid: string, lines: string[]): Promise<void> {
  const values = lines.map((line, i) => [`${Date.now() - lines.length + i}000000`, line]);
  const data = { streams: [{ stream: { job: JOB }, values }] };
  const answer = await request.post(`/api/datasources/uid/${uid}/resources/loki/api/v1/push`, { data });
  expect(answer.status()).toBe(204);
}

async function write(page: Page, row: Locator, expr: string): Promise<void> {
  await row.getByTestId('cambium-code-field').locator('.view-lines').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(expr);
  // What the editor closed by itself stands behind the cursor.
  await page.keyboard.press('Control+Shift+End');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Escape');
}

test('the configuration page passes its health check and tells where the logs are', async ({
  request,
  page,
  gotoDataSourceConfigPage,
}) => {
  const { uid } = await dataSource(request);
  const config = await gotoDataSourceConfigPage(uid);
  await expect(page.getByTestId('cambium-status')).toBeVisible();
  await expect(page.getByTestId('cambium-agent-config')).toContainText(`/api/datasources/uid/${uid}/resources/`);
  await expect(config.saveAndTest()).toBeOK();
});

test('pushed lines are found in Explore, and a syntax error is told', async ({ request, page, explorePage }) => {
  const { uid, name } = await dataSource(request);
  await push(request, uid, LINES);
  await explorePage.datasource.set(name);
  const row = explorePage.getQueryEditorRow('A');
  await write(page, row, `{job="${JOB}"} |= "n=7 "`);
  await expect(explorePage.runQuery()).toBeOK();
  await expect(page.getByText(LINES[7]).first()).toBeVisible();

  await write(page, row, `{job="${JOB}"} |= `);
  await explorePage.runQuery();
  await expect(page.getByText(/parse error/).first()).toBeVisible();
});

test('completion offers labels and their values', async ({ request, page, explorePage }) => {
  const { uid, name } = await dataSource(request);
  await push(request, uid, LINES);
  await explorePage.datasource.set(name);
  await write(page, explorePage.getQueryEditorRow('A'), '');
  await page.keyboard.type('{job="');
  await expect(page.locator('.suggest-widget').getByText(JOB)).toBeVisible();
});

test('a metric query draws a graph in a panel', async ({ request, page, panelEditPage }) => {
  const { uid, name } = await dataSource(request);
  await push(request, uid, LINES);
  await panelEditPage.datasource.set(name);
  await panelEditPage.setVisualization('Table');
  await write(page, panelEditPage.getQueryEditorRow('A'), `sum(count_over_time({job="${JOB}"}[$__range]))`);
  await expect(panelEditPage.refreshPanel()).toBeOK();
  await expect(panelEditPage.panel.fieldNames).toContainText(['Time']);
});

test('an alert rule takes a metric query', async ({ request, page, alertRuleEditPage }) => {
  const { uid, name } = await dataSource(request);
  await push(request, uid, LINES);
  const row = alertRuleEditPage.getAlertRuleQueryRow('A');
  await row.datasource.set(name);
  await write(page, row.locator, `sum(count_over_time({job="${JOB}"}[5m]))`);
  await expect(alertRuleEditPage.evaluate()).toBeOK();
});
