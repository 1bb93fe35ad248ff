import { LabelClient } from '../labels/client';
import { LabelMatcher } from '../logql/tree';
import { Source, itemsFor } from './items';
import { Situation } from './situation';

function source(): Source & { labels: Record<string, jest.Mock> } {
  return {
    labels: {
      labelNames: jest.fn(async () => ['app', 'env']),
      labelValues: jest.fn(async () => ['x"y', 'a.b']),
      detectedFields: jest.fn(async () => [
        { label: 'status', type: 'int', cardinality: 3, parsers: ['json'] },
        { label: 'user', type: 'string', cardinality: 3, parsers: null },
      ]),
      fieldValues: jest.fn(async () => ['500']),
    } as unknown as LabelClient & Record<string, jest.Mock>,
    range: () => undefined,
    history: () => ['{a="b"}', '{a="b"}', ''],
    variables: () => ['app'],
  };
}

const inserts = async (situation: Situation, from = source()) =>
  (await itemsFor(situation, from)).map(({ insert }) => insert);

it('begins with a selector and what was asked before', async () => {
  const items = await inserts({ kind: 'start' });
  expect(items.slice(0, 2)).toEqual(['{$0}', '{a="b"\\}']);
  expect(items).toContain('rate({$0}[\\$__auto])');
});

it('offers the labels that are not there yet, narrowed by those that are', async () => {
  const from = source();
  const others = [{ label: 'app', op: '=', value: 'x' } as const];
  expect(await inserts({ kind: 'labelName', others }, from)).toEqual(['env=']);
  expect(from.labels.labelNames).toHaveBeenCalledWith(undefined, '{app="x"}');
});

it('writes values for the string that they go into', async () => {
  const place = { kind: 'labelValue', label: 'app', others: [] as LabelMatcher[] } as const;
  expect(await inserts({ ...place, quoted: false, regex: false })).toEqual(['"\\$app"', '"x\\\\"y"', '"a.b"']);
  expect(await inserts({ ...place, quoted: true, regex: true })).toEqual(['\\$app', 'x\\\\"y', 'a\\\\\\\\.b']);
});

it('offers fields first behind a parser, and before one only those that need none', async () => {
  expect((await inserts({ kind: 'stage', log: '{a="b"} | json' })).slice(0, 3)).toEqual(['status > ', 'user=', 'json']);
  const before = await inserts({ kind: 'stage', log: '{a="b"}' });
  expect(before[0]).toBe('json');
  expect(before).toContain('user=');
  expect(before).not.toContain('status > ');
});

it('offers a range only inside of a function', async () => {
  expect(await inserts({ kind: 'pipeline', log: '{}', inRange: true })).toContain('[\\$__auto]');
  expect(await inserts({ kind: 'pipeline', log: '{}', inRange: false })).not.toContain('[\\$__auto]');
});

it('offers labels and fields to group by', async () => {
  expect(await inserts({ kind: 'grouping', log: '{a="b"} | json' })).toEqual(['app', 'env', 'status', 'user']);
});

it('has nothing to say where anything may stand', async () => {
  expect(await inserts({ kind: 'nothing' })).toEqual([]);
});
