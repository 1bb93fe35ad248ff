import { isMetricQuery, selectorsOf } from './kind';

describe('isMetricQuery', () => {
  it.each([
    ['{a="b"}', false],
    ['{a="b"} | json | x > 5', false],
    ['', false],
    ['{a="b"} |=', false],
    ['rate({a="b"}[5m])', true],
    ['sum by (a) (count_over_time({a="b"} | json [$__auto]))', true],
    ['rate({a="$app"}[$__interval]) / 2', true],
    ['vector(1)', true],
  ])('%s → %s', (expr, metric) => {
    expect(isMetricQuery(expr)).toBe(metric);
  });
});

it('selectorsOf finds the selectors on both sides of an operator', () => {
  const expr = 'rate({a="b"}[5m]) / rate({c="d"}[5m])';
  expect(selectorsOf(expr).map(({ from, to }) => expr.slice(from, to))).toEqual(['{a="b"}', '{c="d"}']);
});
