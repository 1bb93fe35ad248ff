import { DataFrame, FieldType } from '@grafana/data';

import { CambiumAnnotation, annotationSupport, eventsOf } from './annotations';

const annotation = { name: 'a', enable: true, iconColor: 'red' } as CambiumAnnotation;
const frame: DataFrame = {
  length: 1,
  fields: [
    { name: 'labels', type: FieldType.other, config: {}, values: [{ app: 'x', detected_level: 'error' }] },
    { name: 'timestamp', type: FieldType.time, config: {}, values: [5] },
    { name: 'body', type: FieldType.string, config: {}, values: ['deployed'] },
  ],
};

it('makes an event of every line', () => {
  expect(eventsOf(annotation, [frame])).toEqual([{ time: 5, title: undefined, text: 'deployed', tags: ['error'] }]);
});

it('fills the texts with labels', () => {
  const formatted = { ...annotation, titleFormat: 'App {{app}}', textFormat: '{{ .detected_level }}!', tagKeys: 'app' };
  expect(eventsOf(formatted, [frame])).toEqual([{ time: 5, title: 'App x', text: 'error!', tags: ['x'] }]);
});

it('makes events of points that are not zero', () => {
  const points: DataFrame = {
    length: 2,
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: [1, 2] },
      { name: 'Value', type: FieldType.number, config: {}, labels: { level: 'warn' }, values: [0, 3] },
    ],
  };
  expect(eventsOf(annotation, [points])).toMatchObject([{ time: 2, text: '3', tags: ['warn'] }]);
});

it('takes over annotations that were made for Loki', () => {
  const prepared = annotationSupport.prepareAnnotation!({ ...annotation, expr: '{a="b"}' });
  expect(annotationSupport.prepareQuery!(prepared)).toMatchObject({ expr: '{a="b"}', maxLines: 500 });
  expect(annotationSupport.prepareQuery!(annotation)).toBeUndefined();
});
