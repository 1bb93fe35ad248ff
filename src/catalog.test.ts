import { readFileSync, readdirSync } from 'fs';
import { join } from 'path';

// The rules of Grafana's plugin validator that need no network, so that a release does not fail on them.

const root = join(__dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const plugin = JSON.parse(read('src/plugin.json'));

function filesBelow(dir: string): string[] {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(dir, entry.name)) : [join(dir, entry.name)]
  );
}

const sources = filesBelow('src').filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path));

it('has an id and an executable that fit', () => {
  expect(plugin).toMatchObject({
    id: 'cambium-logs-datasource',
    type: 'datasource',
    backend: true,
    executable: 'gpx_cambium',
    category: 'logging',
    logs: true,
    metrics: true,
    annotations: true,
    alerting: true,
    streaming: true,
  });
  expect(plugin.dependencies.grafanaDependency).toBe('>=12.3.0');
});

it('describes itself', () => {
  const { description, author, keywords, logos, links, version, updated, screenshots } = plugin.info;
  expect(description.length).toBeGreaterThan(30);
  expect(author.name).toBeTruthy();
  expect(keywords.length).toBeGreaterThan(2);
  expect(links.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['Documentation', 'License']));
  expect([version, updated]).toEqual(['%VERSION%', '%TODAY%']);
  for (const path of [logos.small, logos.large, ...screenshots.map((one: { path: string }) => one.path)]) {
    expect(() => read(join('src', path))).not.toThrow();
  }
});

it('has a logo without scripts', () => {
  expect(read('src/img/logo.svg')).not.toMatch(/<script|\son\w+=|javascript:|<foreignObject/i);
});

it('has a README of its own, with absolute links', () => {
  const text = read('src/README.md');
  expect(text).not.toMatch(/<!--|lorem ipsum|BEFORE YOU BEGIN/i);
  for (const [, target] of text.matchAll(/\]\(([^)]+)\)/g)) {
    expect(target).toMatch(/^https:\/\//);
  }
});

it('has a changelog with its version', () => {
  expect(read('CHANGELOG.md')).toContain(`## ${JSON.parse(read('package.json')).version}`);
});

it.each(sources)('%s keeps the rules for code', (path) => {
  const text = read(path);
  expect(text).not.toMatch(/\bconsole\.(log|info|debug)\b/);
  expect(text).not.toMatch(/\b(window\.)?(alert|confirm|prompt)\(/);
  expect(text).not.toMatch(/dangerouslySetInnerHTML|\beval\(|new Function\(/);
  expect(text).not.toMatch(/\b(local|session)Storage\b/);
  expect(text).not.toMatch(/window\.open\((?![^)]*noopener)/);
});

it('installs from the public registry only', () => {
  const lock = read('package-lock.json');
  const addresses = [...lock.matchAll(/"resolved": "([^"]+)"/g)].map(([, address]) => address);
  expect(lock.match(/"integrity": "sha512-/g)!.length).toBeGreaterThan(100);
  expect(addresses.filter((address) => !address.startsWith('https://registry.npmjs.org/'))).toEqual([]);
});
