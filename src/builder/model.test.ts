import { fromExpr, toExpr } from './model';

const norm = (text: string) => text.replace(/\s+/g, '');

it.each([
  '{a="b"}',
  '{a="b", c!~"d.*"} |= "x y" | json | level="error"',
  'rate({a="b"} |= "x" [5m])',
  'sum by (app, env) (count_over_time({a="b"} | json [$__auto]))',
  'sum without (app) (rate({a="b"} [1m]))',
  'topk(5, sum_over_time({a="b"} | logfmt | unwrap duration(d) [5m]))',
  'quantile_over_time(0.95, {a="b"} | json | unwrap d [5m])',
  'max by (x) (quantile_over_time(0.95, {a="b"} | json | unwrap d [5m]))',
])('round-trips %s', (expr) => {
  const model = fromExpr(expr);
  expect(model).toBeDefined();
  expect(norm(toExpr(model!))).toBe(norm(expr));
});

it('reads a grouping that stands last, and raw strings', () => {
  expect(toExpr(fromExpr('sum(rate({a=`b`}[5m])) by (x)')!)).toBe('sum by (x) (rate({a="b"} [5m]))');
});

it.each([
  'rate({a="b"}[5m]) / rate({c="d"}[5m])',
  'sum(sum(rate({a="b"}[5m])))',
  'rate({a="b"}[5m] offset 1h)',
  'rate({a="b"}[5m]) > 5',
  '{a="b"} |=',
  'label_replace(rate({a="b"}[5m]), "x", "$1", "y", "(.*)")',
])('leaves %s to the code editor', (expr) => {
  expect(fromExpr(expr)).toBeUndefined();
});

it('writes nothing for nothing', () => {
  expect(toExpr(fromExpr('')!)).toBe('');
});
