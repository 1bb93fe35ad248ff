import { Replace, interpolate } from './interpolate';

const VALUES: Record<string, unknown> = {
  one: 'x"y\\z',
  many: ['a.b', 'c"d'],
  single: ['a.b'],
  selector: '{app="x"}',
  range: '5m',
};

const replace: Replace = (text, _scoped, format) =>
  text.replace(/\$(\w+)/g, (whole, name) => (name in VALUES ? format!(VALUES[name]) : whole));

describe('interpolate', () => {
  it.each([
    ['{a="$one"}', '{a="x\\"y\\\\z"}'],
    ['{a=`$one`}', '{a=`x"y\\z`}'],
    ['{a=~"$many"}', '{a=~"(a\\\\.b|c\\"d)"}'],
    ['{a=~`$many`}', '{a=~`(a\\.b|c"d)`}'],
    ['{a=~"$single"}', '{a=~"a\\\\.b"}'],
    ['{a="b"} |~ "$many"', '{a="b"} |~ "(a\\\\.b|c\\"d)"'],
    ['$selector |= "x"', '{app="x"} |= "x"'],
    ['rate({a="b"}[$range])', 'rate({a="b"}[5m])'],
    ['rate({a="b"}[$__auto])', 'rate({a="b"}[$__auto])'],
  ])('%s', (expr, expected) => {
    expect(interpolate(expr, replace)).toBe(expected);
  });

  it('leaves a query without variables alone', () => {
    const never = jest.fn();
    expect(interpolate('{a="b"} |= "c"', never)).toBe('{a="b"} |= "c"');
    expect(never).not.toHaveBeenCalled();
  });
});
