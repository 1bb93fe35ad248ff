import { fromAbstract, toAbstract } from './abstract';

it('keeps the labels of a query both ways', () => {
  const expr = '{a="b", c!="d", e=~"f.*", g!~"h"}';
  const abstract = toAbstract({ refId: 'A', expr: `rate(${expr} | json [5m])` });
  expect(abstract.labelMatchers).toHaveLength(4);
  expect(fromAbstract(abstract)).toMatchObject({ refId: 'A', expr });
});

it('gives no selector for a query without labels', () => {
  expect(fromAbstract(toAbstract({ refId: 'A', expr: '' })).expr).toBe('');
});
