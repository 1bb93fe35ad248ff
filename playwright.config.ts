import type { PluginOptions } from '@grafana/plugin-e2e';
import { defineConfig, devices } from '@playwright/test';
import { dirname } from 'node:path';

// The script of the browser suite's essentials against a real Grafana with the plugin installed:
//
//   GRAFANA_URL=http://localhost:3000 GRAFANA_ADMIN_USER=admin GRAFANA_ADMIN_PASSWORD=… npm run e2e
//
// CHROMIUM names the browser. Nothing is downloaded by installing the packages.
const auth = `${dirname(require.resolve('@grafana/plugin-e2e'))}/auth`;

export default defineConfig<PluginOptions>({
  testDir: './tests/e2e',
  outputDir: './test-results/e2e',
  reporter: 'list',
  use: {
    baseURL: process.env.GRAFANA_URL ?? 'http://localhost:3000',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'auth', testDir: auth, testMatch: [/.*\.js/] },
    {
      name: 'explore',
      use: { ...devices['Desktop Chrome'], storageState: 'playwright/.auth/admin.json' },
      dependencies: ['auth'],
    },
  ],
});
