import assert from 'node:assert/strict';

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
      await page.screenshot('config-dark');
    },
  },
  {
    name: 'the config page in the light theme',
    run: async (page) => {
      await page.open({ hash: '#config', theme: 'light' });
      await page.get('cambium-status').waitFor();
      await page.screenshot('config-light');
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
];
