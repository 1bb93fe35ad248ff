import { CoreApp } from '@grafana/data';

import { defaultQuery, displayText, effectiveQueryType, parseMaxLines } from './query';

it('asks for one number in alert rules, for a range elsewhere', () => {
  expect(defaultQuery(CoreApp.UnifiedAlerting).queryType).toBe('instant');
  expect(defaultQuery(CoreApp.Explore).queryType).toBe('range');
});

it('never evaluates lines at an instant', () => {
  expect(effectiveQueryType({ refId: 'A', expr: '{a="b"}', queryType: 'instant' })).toBe('range');
  expect(effectiveQueryType({ refId: 'A', expr: 'rate({a="b"}[5m])', queryType: 'instant' })).toBe('instant');
  expect(effectiveQueryType({ refId: 'A', expr: '{a="b"}', queryType: 'volume' })).toBe('volume');
});

it.each([
  ['100', 100],
  ['', undefined],
  ['0', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['x', undefined],
])('a line limit of %j is %p', (text, limit) => {
  expect(parseMaxLines(text)).toBe(limit);
});

it('shows a query in one line', () => {
  expect(displayText({ refId: 'A', expr: '{a="b"}\n  |= "x" ' })).toBe('{a="b"} |= "x"');
});
