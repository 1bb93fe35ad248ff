import { readFileSync, readdirSync } from 'fs';
import path from 'path';

import { flat, messagesOf } from '../tests/locales/messages.mjs';
import pluginJson from './plugin.json';

const used = messagesOf(__dirname);
const stored = (language: string) =>
  flat(JSON.parse(readFileSync(path.join(__dirname, 'locales', language, `${pluginJson.id}.json`), 'utf8')));
const others = pluginJson.languages.filter((language) => language !== 'en-US');
const variables = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();

it('has a file for each language of the plugin, and English with one other at least', () => {
  expect(readdirSync(path.join(__dirname, 'locales')).sort()).toEqual([...pluginJson.languages].sort());
  expect(pluginJson.languages).toContain('en-US');
  expect(others.length).toBeGreaterThan(0);
});

it('has in English what the code says; `npm run i18n` writes it', () => {
  expect(stored('en-US')).toEqual(used);
});

it.each(others)('has every text in %s, none that is not used, with the same values put in', (language) => {
  const texts = stored(language);
  expect(Object.keys(texts).sort()).toEqual(Object.keys(used).sort());
  for (const [id, text] of Object.entries(texts)) {
    expect(text).not.toBe('');
    expect([id, variables(text)]).toEqual([id, variables(used[id])]);
  }
});
