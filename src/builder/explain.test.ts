import { explain } from './explain';

it('tells a query step by step', () => {
  const steps = explain('sum by (app) (rate({a="b"} |= "x" | json | status > 5 [5m]))');
  expect(steps.map(({ text }) => text)).toEqual(['{a="b"}', '|= "x"', '| json', '| status > 5', 'rate [5m]', 'sum']);
  expect(steps[1].says).toBe('Keep the lines that contain a text.');
  expect(steps[3].says).toMatch(/for which this holds/);
  expect(steps[5].says).toMatch(/one for each app/);
});

it('has something to say about queries that are no simple chain', () => {
  expect(explain('rate({a="b"}[5m]) / rate({c="d"}[5m])')).toHaveLength(3);
  expect(explain('')).toEqual([]);
});
