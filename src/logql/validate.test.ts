import { firstProblem } from './validate';

it.each([
  '',
  '{a="b"}',
  'rate({a="$x"}[$__auto])',
  '{a="b"} |= "x" or "y" | json | x > 5',
  'sum(rate({a="b"}[5m])) by (a)',
])('accepts %j', (expr) => {
  expect(firstProblem(expr)).toBeUndefined();
});

it.each([
  ['{a="b"} |= ', /ends too early/],
  ['{a=b}', /./],
  ['{a="b"} foo', /foo/],
  ['rate({a="b"})', /./],
])('marks %j', (expr, message) => {
  const problem = firstProblem(expr)!;
  expect(problem.message).toMatch(message);
  expect(problem.to).toBeGreaterThan(problem.from);
  expect(problem.to).toBeLessThanOrEqual(expr.length + 1);
});
