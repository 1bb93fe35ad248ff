import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** The texts of all calls of `t` below a directory: English by id. Throws where one id has two texts. */
export function messagesOf(root) {
  const messages = new Map();
  for (const file of sourcesBelow(root)) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    const visit = (node) => {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 't') {
        const [id, text] = node.arguments;
        if (!id || !text || !ts.isStringLiteral(id) || !ts.isStringLiteral(text)) {
          throw new Error(`${file}: a text needs an id and an English form, both literal: ${node.getText()}`);
        }
        if ((messages.get(id.text) ?? text.text) !== text.text) {
          throw new Error(`${file}: ${id.text} is another text elsewhere: ${text.text}`);
        }
        messages.set(id.text, text.text);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return Object.fromEntries([...messages].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sourcesBelow(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) {
      return sourcesBelow(file);
    }
    return /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file) && path.basename(file) !== 'i18n.ts' ? [file] : [];
  });
}

/** A file of texts as Grafana reads it: ids with dots are objects within objects. */
export function nested(messages) {
  const out = {};
  for (const [id, text] of Object.entries(messages)) {
    const names = id.split('.');
    const last = names.pop();
    names.reduce((object, name) => (object[name] ??= {}), out)[last] = text;
  }
  return out;
}

/** The opposite of `nested`. */
export function flat(object, prefix = '') {
  return Object.entries(object).reduce(
    (all, [name, value]) => ({
      ...all,
      ...(typeof value === 'string' ? { [prefix + name]: value } : flat(value, `${prefix}${name}.`)),
    }),
    {}
  );
}
