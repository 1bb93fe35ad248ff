import assert from 'node:assert/strict';

import { Skip, eventually } from './page.mjs';

const DATASOURCE = '/api/datasources/uid/cambium';
const NO_SECRETS = { pushToken: false, bucketConfig: false, s3AccessKey: false, s3SecretKey: false };

/** Opens the config page with all of its sections unfolded. */
async function openAll(page, options = {}) {
  await page.open({ hash: '#config', ...options });
  await page.get('cambium-status').waitFor();
  const closed = page.page.getByRole('button', { name: /expand section/i });
  while ((await closed.count()) > 0) {
    await closed.first().click();
  }
}

async function saved(page) {
  await page.get('save-and-test').click();
  await page.get('health-result').waitFor();
  const answer = await page.page.request.get(page.base + DATASOURCE);
  return answer.json();
}

/** Puts the settings back, so that tests do not depend on each other. */
async function reset(page) {
  await page.page.request.put(page.base + DATASOURCE, {
    data: { jsonData: {}, secureJsonData: {}, secureJsonFields: NO_SECRETS },
  });
}

export const configTests = [
  {
    name: 'the config page needs no setting and tells where the logs are',
    run: async (page) => {
      await page.open({ hash: '#config' });
      await page.get('cambium-status').waitFor();
      await page.get('save-and-test').click();
      const result = page.get('health-result');
      await result.waitFor();
      assert.ok((await result.innerText()).length > 10);
      await page.page.evaluate(() => window.scrollTo(0, 0));
      await page.screenshots('config');
    },
  },
  {
    name: 'the config page in the light theme',
    run: async (page) => {
      await page.open({ hash: '#config', theme: 'light' });
      await page.get('cambium-status').waitFor();
    },
  },
  {
    name: 'every agent has a configuration with the push address',
    run: async (page) => {
      await page.open({ hash: '#config' });
      const config = page.get('cambium-agent-config');
      for (const name of ['Grafana Alloy', 'Promtail', 'Fluent Bit', 'Vector', 'OTel Collector', 'curl']) {
        await page.page.getByRole('tab', { name }).click();
        const text = await config.innerText();
        assert.match(text, /\/api\/datasources\/uid\/\w+\/resources\/(loki\/api\/v1\/push|otlp\/v1\/logs)/, name);
        assert.match(text, /<service-account-token>/, name);
      }
      await page.page.getByRole('button', { name: 'Copy', exact: true }).last().click();
      const copied = await page.page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, /curl/);
    },
  },
  {
    name: 'every setting is kept, and secrets are not shown again',
    run: async (page) => {
      await openAll(page);
      const field = (label) => page.page.getByLabel(label, { exact: true });
      await field('Retention').fill('30d');
      await field('Line limit').fill('500');
      await page.page.getByRole('radio', { name: 'Admin' }).click({ force: true });
      await field('Push token').fill('hush');
      await page.page.locator('#cambium-selector-Viewer').fill('{job="loghub"}');
      await page.page.getByRole('button', { name: 'Add derived field' }).click();
      await page.page.locator('#cambium-derived-0-name').fill('User');
      await page.page.locator('#cambium-derived-0-regex').fill('user (\\w+)');
      await page.page.locator('#cambium-derived-0-url').fill('https://example.com/${__value.raw}');
      await page.page.getByLabel('Line to try derived fields on').fill('Invalid user webmaster from x');
      await page.page.getByText('Found: webmaster').waitFor();
      await page.screenshots('config-sections');
      try {
        const { jsonData, secureJsonFields } = await saved(page);
        assert.deepEqual(
          { ...jsonData, derivedFields: jsonData.derivedFields.length },
          {
            retention: '30d',
            maxLines: 500,
            pushRole: 'Admin',
            roleSelectors: [{ role: 'Viewer', selector: '{job="loghub"}' }],
            derivedFields: 1,
          }
        );
        assert.equal(secureJsonFields.pushToken, true);
        assert.equal(await field('Push token').isDisabled(), true);
      } finally {
        await reset(page);
      }
    },
  },
  {
    name: 'every kind of storage has its form, and what it keeps secret stays so',
    run: async (page) => {
      await openAll(page);
      const field = (label) => page.page.getByLabel(label, { exact: true });
      const fill = async (values) => {
        for (const [label, text] of Object.entries(values)) {
          await field(label).fill(text);
        }
      };
      try {
        await page.page.getByRole('radio', { name: 'S3', exact: true }).click({ force: true });
        await fill({ Endpoint: '127.0.0.1:1', Bucket: 'logs', Region: 'eu', Prefix: 'a/b' });
        await fill({ 'Access key': 'id', 'Secret key': 'hush' });
        await page.page.locator('#cambium-s3-insecure').click({ force: true });
        await page.screenshots('config-s3');
        const s3 = await saved(page);
        const storage = {
          kind: 's3',
          endpoint: '127.0.0.1:1',
          bucket: 'logs',
          region: 'eu',
          prefix: 'a/b',
          insecure: true,
        };
        assert.deepEqual(s3.jsonData.storage, storage);
        assert.deepEqual([s3.secureJsonFields.s3AccessKey, s3.secureJsonFields.s3SecretKey], [true, true]);
        assert.ok(!JSON.stringify(s3).includes('hush'));

        await page.page.getByRole('radio', { name: 'Other bucket' }).click({ force: true });
        await field('Bucket configuration').fill('type: GCS\nconfig:\n  bucket: ""');
        const bucket = await saved(page);
        assert.equal(bucket.jsonData.storage.kind, 'bucket');
        assert.equal(bucket.secureJsonFields.bucketConfig, true);
        assert.equal(await field('Bucket configuration').isDisabled(), true);

        await page.page.getByRole('radio', { name: 'Embedded' }).click({ force: true });
        assert.equal((await saved(page)).jsonData.storage.kind, 'embedded');
      } finally {
        await reset(page);
      }
    },
  },
  {
    name: 'another tenant sees none of the logs, and its data is where the page says',
    run: async (page) => {
      await openAll(page);
      try {
        const tenant = page.page.getByLabel('Tenant', { exact: true });
        await tenant.fill('a b');
        await page.page.getByText(/Use letters, digits and/).waitFor();
        await tenant.fill('other');
        assert.equal((await saved(page)).jsonData.tenant, 'other');
        await page.page.getByRole('button', { name: 'Refresh' }).click();
        await eventually(async () => assert.match(await page.get('cambium-status').innerText(), /other/));
        await page.open({ expr: '{service_name=~".+"}' });
        await page.get('no-data').waitFor();
      } finally {
        await reset(page);
      }
    },
  },
  {
    name: 'a user whose role is confined sees only what its selector lets through',
    run: async (page) => {
      const job = `confined-${Date.now()}`;
      const values = [[`${Date.now()}000000`, 'only this']];
      const resources = `${page.base}${DATASOURCE}/resources`;
      await page.page.request.post(`${resources}/loki/api/v1/push`, {
        data: { streams: [{ stream: { job }, values }] },
      });
      await openAll(page);
      try {
        await page.page.locator('#cambium-selector-Viewer').fill(`{job="${job}"}`);
        await saved(page);
        await page.page.route('**/api/ds/query*', (route) =>
          route.continue({ headers: { ...route.request().headers(), 'X-Workbench-Role': 'Viewer' } })
        );
        await page.open({ expr: '{service_name=~".+"}' });
        assert.equal(await page.rows(), 1);
      } finally {
        await reset(page);
      }
    },
  },
  {
    name: 'storage that does not answer is told by the test',
    run: async (page) => {
      await openAll(page);
      await page.page.getByRole('radio', { name: 'S3' }).click({ force: true });
      await page.page.getByLabel('Endpoint', { exact: true }).fill('127.0.0.1:1');
      await page.page.getByLabel('Bucket', { exact: true }).fill('nowhere');
      try {
        await page.get('save-and-test').click();
        const result = page.get('health-result');
        await result.waitFor({ timeout: 40_000 });
        assert.doesNotMatch(await result.innerText(), /Logs are kept/);
      } finally {
        await reset(page);
      }
    },
  },
  {
    name: 'a test line arrives',
    run: async (page) => {
      await page.open({ hash: '#config' });
      await page.page.getByRole('button', { name: 'Send a test line' }).click();
      await page.get('cambium-test-line').getByText('Received').waitFor();
      await page.open({ expr: '{job="cambium-test"}' });
      assert.ok((await page.rows()) > 0);
    },
  },
  {
    name: 'a derived field links what it finds',
    run: async (page) => {
      await page.page.request.put(page.base + DATASOURCE, {
        data: {
          jsonData: {
            derivedFields: [{ name: 'Word', matcherRegex: '(\\w{4,})', url: 'https://example.com/${__value.raw}' }],
          },
        },
      });
      try {
        await page.open({ expr: '{service_name=~".+"}' });
        await page.get('log-row').first().click();
        const href = await page.get('derived-Word').getByRole('link').getAttribute('href');
        assert.match(href, /^https:\/\/example\.com\/\w{4,}$/);
      } finally {
        await reset(page);
      }
    },
  },
  {
    name: 'logs are deleted after a preview and a confirmation',
    run: async (page) => {
      const route = await page.page.request.get(`${page.base}${DATASOURCE}/resources/loki/api/v1/delete`);
      if (route.status() === 404) {
        throw new Skip('the backend has no delete route');
      }
      const job = `delete-${Date.now()}`;
      const values = [0, 1, 2].map((i) => [`${Date.now() - 1000 + i}000000`, i ? `keep ${i}` : 'a secret']);
      await page.page.request.post(`${page.base}${DATASOURCE}/resources/loki/api/v1/push`, {
        data: { streams: [{ stream: { job }, values }] },
      });
      await openAll(page);
      // The default range ends now: the pushed lines lie within.
      await page.page.locator('#cambium-delete-query').fill(`{job="${job}"} |= "secret"`);
      await page.page.getByRole('button', { name: 'Show what matches' }).click();
      const preview = page.get('cambium-delete-preview');
      await preview.getByText(/Matching lines: 1\./).waitFor();
      assert.match(await preview.innerText(), /a secret/);
      await page.page.getByRole('button', { name: 'Delete', exact: true }).click();
      const dialog = page.page.getByRole('dialog');
      await dialog.getByRole('textbox').fill('Delete');
      await page.screenshots('delete');
      await dialog.getByRole('button', { name: 'Delete' }).click();
      await page.page.getByRole('table', { name: 'Delete requests' }).waitFor();
      await page.open({ expr: `{job="${job}"}` });
      await eventually(async () => assert.equal(await page.rows(), 2));
    },
  },
];
