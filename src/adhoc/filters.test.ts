import { applyAdHocFilters, selectorOf } from './filters';

const indexed = new Set(['app']);

it.each([
  [{ key: 'app', operator: '=', value: 'x' }, '{a="b", app="x"} | json'],
  [{ key: 'app', operator: '!~', value: 'x.*' }, '{a="b", app!~"x.*"} | json'],
  [{ key: 'app', operator: '=|', value: 'x', values: ['x', 'y.z'] }, '{a="b", app=~"x|y\\\\.z"} | json'],
  [{ key: 'app', operator: '!=|', value: '', values: ['x'] }, '{a="b", app!~"x"} | json'],
  [{ key: 'status', operator: '=', value: '500' }, '{a="b"} | json | status="500"'],
  [{ key: '', operator: '=', value: '500' }, '{a="b"} | json'],
  [{ key: 'x"y', operator: '=', value: '500' }, '{a="b"} | json'],
])('%j', (filter, expected) => {
  expect(applyAdHocFilters('{a="b"} | json', [filter], indexed)).toBe(expected);
});

it('makes a selector of the filters on stream labels', () => {
  const filters = [
    { key: 'app', operator: '=', value: 'x' },
    { key: 'status', operator: '=', value: '5' },
  ];
  expect(selectorOf(filters, indexed)).toBe('{app="x"}');
  expect(selectorOf([], indexed)).toBe('{}');
});
