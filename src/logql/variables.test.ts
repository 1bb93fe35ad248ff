import { maskVariables, splitStrings } from './variables';

describe('maskVariables', () => {
  it.each([
    ['rate({a="b"}[$__auto])', 'rate({a="b"}[111111s])'],
    ['rate({a="b"}[${step:text}])', 'rate({a="b"}[11111111111s])'],
    ['topk($n, rate({a="b"}[5m]))', 'topk(11, rate({a="b"}[5m]))'],
    ['{a="$app"}', '{a="$app"}'],
    ['{a=`$app`} |= "[[x]]"', '{a=`$app`} |= "[[x]]"'],
  ])('%s', (expr, masked) => {
    expect(maskVariables(expr)).toBe(masked);
    expect(masked).toHaveLength(expr.length);
  });
});

describe('splitStrings', () => {
  it('is lossless and tells strings from what stands between', () => {
    const expr = '{a="x\\"y", b=~`z.*`} |~ "p" or "q" |= "r';
    const parts = splitStrings(expr);
    expect(parts.map(({ text }) => text).join('')).toBe(expr);
    expect(parts.filter(({ quote }) => quote)).toEqual([
      { text: '"x\\"y"', quote: '"', regex: false },
      { text: '`z.*`', quote: '`', regex: true },
      { text: '"p"', quote: '"', regex: true },
      { text: '"q"', quote: '"', regex: true },
      { text: '"r', quote: '"', regex: false },
    ]);
  });
});
