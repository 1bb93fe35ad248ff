import { DataFrame, FieldType } from '@grafana/data';

import { addDerivedFields, reader } from './fields';

const frame: DataFrame = {
  length: 2,
  fields: [
    { name: 'body', type: FieldType.string, config: {}, values: ['a traceID=abc b', 'nothing'] },
    { name: 'labels', type: FieldType.other, config: {}, values: [{ trace_id: 'xyz' }, {}] },
  ],
};
const nameOf = () => 'Tempo';

it('adds a field with an internal link', () => {
  const [out] = addDerivedFields(
    [frame],
    [{ name: 'Trace', matcherRegex: 'traceID=(\\w+)', datasourceUid: 'tempo', url: '${__value.raw}' }],
    nameOf
  );
  const field = out.fields[2];
  expect(field.values).toEqual(['abc', null]);
  expect(field.config.links?.[0].internal).toMatchObject({
    datasourceUid: 'tempo',
    datasourceName: 'Tempo',
    query: { query: '${__value.raw}' },
  });
  expect(frame.fields).toHaveLength(2);
});

it('adds a field with an external link from a label', () => {
  const [out] = addDerivedFields(
    [frame],
    [
      {
        name: 'T',
        matcherType: 'label',
        matcherRegex: 'trace_?id',
        url: 'https://x/${__value.raw}',
        urlDisplayLabel: 'Open',
      },
    ],
    nameOf
  );
  expect(out.fields[2]).toMatchObject({
    values: ['xyz', null],
    config: { links: [{ title: 'Open', url: 'https://x/${__value.raw}' }] },
  });
});

it('takes the first of several rules with one name', () => {
  const rule = (matcherRegex: string) => ({ name: 'T', matcherRegex, url: 'u' });
  const [out] = addDerivedFields([frame], [rule('missing=(.)'), rule('traceID=(\\w+)')], nameOf);
  expect(out.fields).toHaveLength(3);
  expect(out.fields[2].values).toEqual(['abc', null]);
});

it('leaves out a field that no line has, and a rule that is no regex', () => {
  expect(addDerivedFields([frame], [{ name: 'T', matcherRegex: '(' }], nameOf)[0].fields).toHaveLength(2);
  expect(reader({ name: 'T', matcherRegex: '(' })('x', {})).toBeUndefined();
});
