import assert from 'node:assert/strict';

/** A workbench page with the steps that several tests take. */
export class Page {
  constructor(page, base, out) {
    this.page = page;
    /** Outlives the page. */
    this.context = page.context();
    this.base = base.replace(/\/$/, '');
    this.out = out;
    this.errors = [];
    this.requests = [];
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('request', (request) => this.requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  }

  /** Opens the page; `expr` is run at once. */
  async open({
    expr,
    theme = 'dark',
    from = process.env.WORKBENCH_FROM ?? 'now-24h',
    to = 'now',
    hash = '',
    more,
  } = {}) {
    const params = new URLSearchParams([
      ...Object.entries({ theme, from, to, ...(expr && { expr }) }),
      ...Object.entries(more ?? {}).flatMap(([name, values]) => [values].flat().map((value) => [name, value])),
    ]);
    await this.page.goto(`${this.base}/?${params}${hash}`);
    if (!hash) {
      await this.editor().waitFor();
    }
  }

  get(id) {
    return this.page.locator(`[data-testid="${id}"]`);
  }

  editor() {
    return this.page.locator('[data-testid="cambium-code-field"] .monaco-editor .view-lines').first();
  }

  /** Replaces the query's text by typing. */
  async type(text) {
    await this.editor().click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.type(text);
  }

  /** Puts a query into the editor as a whole and runs it. */
  async run(text) {
    await this.editor().click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(text);
    // The editor closes brackets and quotes by itself; what it added stands behind the cursor.
    await this.page.keyboard.press('Control+Shift+End');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.press('Escape');
    await this.page.keyboard.press('Shift+Enter');
  }

  async editorText() {
    const text = await this.editor().innerText();
    return text.replaceAll('\u00a0', ' ');
  }

  /** Lines that the list holds, when it holds any. */
  async rows() {
    await this.get('log-row').first().waitFor();
    return Number(await this.get('log-list').getAttribute('data-rows'));
  }

  /** Series that the table of a metric query holds, when it holds any. */
  async rowsOfTable() {
    const rows = this.get('metric-table').locator('tbody tr');
    await rows.first().waitFor();
    return rows.count();
  }

  /** The page as it is, in both themes. */
  async screenshots(name) {
    for (const theme of ['light', 'dark']) {
      await this.page.evaluate((detail) => window.dispatchEvent(new CustomEvent('workbench-theme', { detail })), theme);
      // Some parts change their colours step by step even so.
      await this.page.waitForTimeout(300);
      await this.screenshot(`${name}-${theme}`);
    }
  }

  screenshot(name) {
    return this.page.screenshot({ path: `${this.out}/${name}.png` });
  }

  expectNoPageErrors() {
    assert.deepEqual(this.errors, [], 'uncaught errors in the page');
  }
}

/** Sum of the samples of a metric of the plugin's, of those with a label when one is given as `name="value"`. */
export async function metric(page, name, label = '') {
  const answer = await page.request.get(`/metrics/plugins/cambium-logs-datasource`);
  const samples = (await answer.text()).split('\n').filter((line) => line.startsWith(name) && line.includes(label));
  return samples.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}

/** Thrown by a test that cannot be run against this host. */
export class Skip extends Error {}

/** Polls until the check does not throw. */
export async function eventually(check, timeout = 10_000) {
  const end = Date.now() + timeout;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/**
 * Prints what was measured beside its bar. A machine that does other work is no reason to fail, so the bar binds only where
 * CAMBIUM_STRICT_TIMES says that nothing else runs.
 */
export function withinTime(what, milliseconds, bar) {
  console.log(`     ${what} ${Math.round(milliseconds)} ms (bar: ${bar} ms)`);
  assert.ok(Number.isFinite(milliseconds), `${what}: nothing was measured`);
  if (process.env.CAMBIUM_STRICT_TIMES) {
    assert.ok(milliseconds < bar, `${what} ${milliseconds} ms, bar ${bar} ms`);
  }
}
