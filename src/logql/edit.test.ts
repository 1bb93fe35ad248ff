import { addLineFilter, addMatcher, addStage, hasMatcher, removeMatcher, toggleMatcher } from './edit';
import { LabelMatcher, logParts } from './tree';

const app: LabelMatcher = { label: 'app', op: '=', value: 'x"y' };

describe('logParts', () => {
  it('reads matchers and stages with their places', () => {
    const expr = '{a="b", c!~`d\\d`} |= "x" | json | level="error" | x > 5 | p="q" or r="s"';
    const [part] = logParts(expr);
    expect(part.matchers).toMatchObject([
      { label: 'a', op: '=', value: 'b' },
      { label: 'c', op: '!~', value: 'd\\d' },
    ]);
    expect(part.stages.map(({ text }) => text)).toEqual([
      '|= "x"',
      '| json',
      '| level="error"',
      '| x > 5',
      '| p="q" or r="s"',
    ]);
    expect(part.stages.map(({ matcher }) => matcher?.label)).toEqual([
      undefined,
      undefined,
      'level',
      undefined,
      undefined,
    ]);
  });

  it('finds one part for each range of a metric query', () => {
    expect(logParts('rate({a="b"}[$__auto]) / sum(rate({c="d"} | json [5m]))')).toHaveLength(2);
  });
});

describe('addMatcher', () => {
  it.each([
    ['{a="b"}', '{a="b", app="x\\"y"}'],
    ['{}', '{app="x\\"y"}'],
    ['{a="b"} |= "x" | json', '{a="b", app="x\\"y"} |= "x" | json'],
    [
      'sum(rate({a="b"}[5m])) / sum(rate({c="d"}[5m]))',
      'sum(rate({a="b", app="x\\"y"}[5m])) / sum(rate({c="d", app="x\\"y"}[5m]))',
    ],
    ['{app="x\\"y"}', '{app="x\\"y"}'],
  ])('to the selector of %s', (expr, expected) => {
    expect(addMatcher(expr, app, 'selector')).toBe(expected);
  });

  it.each([
    ['{a="b"}', '{a="b"} | app="x\\"y"'],
    ['{a="b"} | json', '{a="b"} | json | app="x\\"y"'],
    ['rate({a="b"} | json [5m])', 'rate({a="b"} | json | app="x\\"y" [5m])'],
    ['rate({a="b"}[$__auto])', 'rate({a="b"} | app="x\\"y"[$__auto])'],
    ['sum_over_time({a="b"} | json | unwrap d [5m])', 'sum_over_time({a="b"} | json | app="x\\"y" | unwrap d [5m])'],
    ['rate({a="b"}[5m] | json)', 'rate({a="b"}[5m] | json | app="x\\"y")'],
  ])('to the pipeline of %s', (expr, expected) => {
    expect(addMatcher(expr, app, 'pipeline')).toBe(expected);
  });
});

describe('removeMatcher', () => {
  it.each([
    ['{a="b", app="x\\"y"}', '{a="b"}'],
    ['{app="x\\"y", a="b"} | json', '{a="b"} | json'],
    ['{a="b"} | json | app="x\\"y" | c="d"', '{a="b"} | json | c="d"'],
    ['{app="x\\"y"}', '{app=~".+"}'],
    ['{a="b"} | app="x\\"y" or c="d"', '{a="b"} | app="x\\"y" or c="d"'],
  ])('from %s', (expr, expected) => {
    expect(removeMatcher(expr, app)).toBe(expected);
  });
});

it('toggles: add, take out, replace the opposite', () => {
  const matcher: LabelMatcher = { label: 'c', op: '=', value: 'd' };
  const added = toggleMatcher('{a="b"}', matcher, 'selector');
  expect(added).toBe('{a="b", c="d"}');
  expect(hasMatcher(added, matcher)).toBe(true);
  expect(toggleMatcher(added, matcher, 'selector')).toBe('{a="b"}');
  expect(toggleMatcher(added, { ...matcher, op: '!=' }, 'selector')).toBe('{a="b", c!="d"}');
});

describe('addLineFilter', () => {
  it.each([
    ['{a="b"}', '{a="b"} |= "t"'],
    ['{a="b"} |= "x" | json', '{a="b"} |= "x" |= "t" | json'],
    ['{a="b"} | line_format "{{.x}}"', '{a="b"} | line_format "{{.x}}" |= "t"'],
    ['rate({a="b"}[5m])', 'rate({a="b"} |= "t"[5m])'],
  ])('%s', (expr, expected) => {
    expect(addLineFilter(expr, '|=', 't')).toBe(expected);
  });
});

it('addStage goes last', () => {
  expect(addStage('rate({a="b"} |= "x" [5m])', '| json')).toBe('rate({a="b"} |= "x" | json [5m])');
});
