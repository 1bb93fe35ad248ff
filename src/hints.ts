import { DataFrame, QueryHint } from '@grafana/data';

import { t } from './i18n';
import { logParts } from './logql/tree';
import { isLogFrame } from './split/merge';
import { CambiumQuery } from './types';

const SAMPLE = 50;

/** What could make a query better, judged by the lines that it gave. */
export function queryHints(query: CambiumQuery, frames: DataFrame[]): QueryHint[] {
  const [part] = logParts(query.expr ?? '');
  const lines = frames
    .filter((frame) => isLogFrame(frame) && frame.refId === query.refId)
    .flatMap((frame) => frame.fields.find(({ name }) => name === 'body')?.values.slice(0, SAMPLE) ?? []);
  if (
    !part ||
    !lines.length ||
    part.stages.some(({ text }) => /^\|\s*(json|logfmt|unpack|regexp|pattern)\b/.test(text))
  ) {
    return [];
  }
  const parser = mostly(lines, isJson) ? 'json' : mostly(lines, isLogfmt) ? 'logfmt' : undefined;
  return parser
    ? [
        {
          type: `ADD_${parser.toUpperCase()}`,
          label: t('hint.looks', 'The lines look like {{format}}.', { format: parser === 'json' ? 'JSON' : 'logfmt' }),
          fix: {
            title: t('hint.add', 'Add | {{parser}}', { parser }),
            label: t('hint.add-parser', 'Add the {{parser}} parser to filter on fields.', { parser }),
            action: { type: 'ADD_STAGE', options: { stage: `| ${parser}` } },
          },
        },
      ]
    : [];
}

function mostly(lines: string[], test: (line: string) => boolean): boolean {
  return lines.filter(test).length > lines.length / 2;
}

function isJson(line: string): boolean {
  try {
    return line.trimStart().startsWith('{') && typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}

function isLogfmt(line: string): boolean {
  return (line.match(/(?:^|\s)[A-Za-z_][\w.-]*=(?:"[^"]*"|\S*)/g) ?? []).length >= 2;
}
