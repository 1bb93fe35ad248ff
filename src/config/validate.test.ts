import { regexProblem, retentionProblem, selectorProblem, tenantProblem } from './validate';

it.each(['', '30d', '1y2w', '12h30m'])('takes %j as a retention', (text) =>
  expect(retentionProblem(text)).toBeUndefined()
);
it.each(['30', 'd', '5 days', '30m1h'])('refuses %j as a retention', (text) =>
  expect(retentionProblem(text)).toBeDefined()
);

it('knows tenant names', () => {
  expect(tenantProblem('team-a')).toBeUndefined();
  expect(tenantProblem('../x')).toBeDefined();
  expect(tenantProblem('..')).toBeDefined();
});

it('knows regular expressions and selectors', () => {
  expect(regexProblem('a(.)')).toBeUndefined();
  expect(regexProblem('a(')).toBeDefined();
  expect(selectorProblem('{team="a"}')).toBeUndefined();
  expect(selectorProblem('{team="a"} |= "x"')).toBeDefined();
  expect(selectorProblem('{}')).toBeDefined();
});
