import { DataFrame, FieldType } from '@grafana/data';

import { modifyQuery, queryHasFilter, toggleQueryFilter } from './filters';
import { labelDisplayType } from './frames/labelTypes';

const frame: DataFrame = {
  length: 2,
  fields: [
    {
      name: 'labelTypes',
      type: FieldType.other,
      config: {},
      values: [
        { app: 'I', trace_id: 'S' },
        { app: 'I', status: 'P' },
      ],
    },
  ],
};
const query = { refId: 'A', expr: '{app="x"} | json' };

it('filters an indexed label in the selector, others in a stage', () => {
  const toggle = (key: string, value: string) =>
    toggleQueryFilter(query, { type: 'FILTER_FOR', options: { key, value }, frame }).expr;
  expect(toggle('app', 'y')).toBe('{app="x", app="y"} | json');
  expect(toggle('status', '500')).toBe('{app="x"} | json | status="500"');
  expect(toggle('trace_id', 'abc')).toBe('{app="x"} | json | trace_id="abc"');
  expect(toggle('app', 'x')).toBe('{app=~".+"} | json');
});

it('sees the filter that is there', () => {
  expect(queryHasFilter(query, { key: 'app', value: 'x' })).toBe(true);
  expect(queryHasFilter(query, { key: 'app', value: 'y' })).toBe(false);
});

it.each([
  ['ADD_FILTER', { key: 'status', value: '5' }, '{app="x"} | json | status="5"'],
  ['ADD_FILTER_OUT', { key: 'app', value: '5' }, '{app="x", app!="5"} | json'],
  ['ADD_STRING_FILTER', { value: 'a "b"' }, '{app="x"} |= "a \\"b\\"" | json'],
  ['ADD_STRING_FILTER_OUT', { value: 'a' }, '{app="x"} != "a" | json'],
  ['ADD_STRING_FILTER', { value: '' }, query.expr],
  ['UNKNOWN', {}, query.expr],
])('%s %j', (type, options, expr) => {
  expect(modifyQuery(query, { type, options: options as Record<string, string>, frame }).expr).toBe(expr);
});

it('names the origin of a label', () => {
  expect(labelDisplayType('app', frame, 0)).toBe('Indexed label');
  expect(labelDisplayType('trace_id', frame, 0)).toBe('Structured metadata');
  expect(labelDisplayType('status', frame, 1)).toBe('Parsed field');
  expect(labelDisplayType('nope', frame, 0)).toBeNull();
  expect(labelDisplayType('app', undefined, 0)).toBeNull();
});
