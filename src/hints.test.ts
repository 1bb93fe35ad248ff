import { DataFrame, FieldType } from '@grafana/data';

import { modifyQuery } from './filters';
import { queryHints } from './hints';

const frame = (...values: string[]): DataFrame => ({
  refId: 'A',
  length: values.length,
  fields: [{ name: 'body', type: FieldType.string, config: {}, values }],
});
const query = { refId: 'A', expr: '{a="b"}' };

it.each([
  ['json', ['{"a":1}', '{"b":2}', 'x']],
  ['logfmt', ['level=info msg="a b"', 'level=warn msg=c d=e']],
])('offers the %s parser, and its fix adds it', (parser, lines) => {
  const [hint] = queryHints(query, [frame(...lines)]);
  expect(modifyQuery(query, hint.fix!.action!).expr).toBe(`{a="b"} | ${parser}`);
});

it('offers nothing for plain text or a query that parses already', () => {
  expect(queryHints(query, [frame('plain text', 'a=b only')])).toEqual([]);
  expect(queryHints({ ...query, expr: '{a="b"} | json' }, [frame('{"a":1}')])).toEqual([]);
});
