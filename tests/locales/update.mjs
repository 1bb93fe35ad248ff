// Writes the English texts of the code to src/locales/en-US, and tells which ones the other languages lack.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

import { flat, messagesOf, nested } from './messages.mjs';

const FILE = 'cambium-logs-datasource.json';
const messages = messagesOf('src');
writeFileSync(`src/locales/en-US/${FILE}`, `${JSON.stringify(nested(messages), null, 2)}\n`);

for (const language of readdirSync('src/locales').filter((name) => name !== 'en-US')) {
  const known = flat(JSON.parse(readFileSync(`src/locales/${language}/${FILE}`, 'utf8')));
  const missing = Object.keys(messages).filter((id) => !(id in known));
  const unused = Object.keys(known).filter((id) => !(id in messages));
  console.log(
    `${language}: ${missing.length} missing ${missing.join(' ')}; ${unused.length} unused ${unused.join(' ')}`
  );
}
