import { DataFrame, FieldType } from '@grafana/data';

import { isComplete, readVariable } from './query';
import { valuesOfFrames } from './values';

it.each([
  ['label_names()', { kind: 'labelNames' }],
  ['label_values(app)', { kind: 'labelValues', label: 'app' }],
  ['label_values({env="a, b"}, app)', { kind: 'labelValues', label: 'app', expr: '{env="a, b"}' }],
  ['topk(5, sum by (app) (rate({a="b"}[5m])))', { kind: 'query' }],
  ['', { kind: 'labelValues' }],
  [{ type: 0, refId: 'x' }, { kind: 'labelNames' }],
  [
    { type: 1, label: 'app', stream: '{a="b"}' },
    { kind: 'labelValues', label: 'app', expr: '{a="b"}' },
  ],
  [
    { kind: 'fieldValues', label: 'x', expr: '{a="b"}' },
    { kind: 'fieldValues', label: 'x', expr: '{a="b"}' },
  ],
  [undefined, { kind: 'labelValues' }],
])('reads %j', (stored, expected) => {
  expect(readVariable(stored)).toMatchObject({ refId: 'variable', ...expected });
});

it('knows what is missing', () => {
  expect(isComplete(readVariable('label_names()'))).toBe(true);
  expect(isComplete(readVariable(''))).toBe(false);
  expect(isComplete({ refId: 'v', kind: 'fieldValues', label: 'x' })).toBe(false);
});

describe('valuesOfFrames', () => {
  const logs: DataFrame = {
    length: 2,
    fields: [
      { name: 'labels', type: FieldType.other, config: {}, values: [{ app: 'x' }, { app: 'x' }] },
      { name: 'body', type: FieldType.string, config: {}, values: ['l1', 'l2'] },
    ],
  };
  const series: DataFrame = {
    length: 1,
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: [1] },
      { name: 'Value', type: FieldType.number, config: {}, labels: { app: 'y' }, values: [7] },
    ],
  };

  it('takes a label of series and rows, each value once', () => {
    expect(valuesOfFrames([logs, series], 'app')).toEqual([{ text: 'x' }, { text: 'y' }]);
  });

  it('takes lines and numbers without one', () => {
    expect(valuesOfFrames([logs, series])).toEqual([{ text: 'l1' }, { text: 'l2' }, { text: '7' }]);
  });
});
