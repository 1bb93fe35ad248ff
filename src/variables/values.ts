import { DataFrame, FieldType, MetricFindValue } from '@grafana/data';

/**
 * The values in the answer of a query: of a label of its series or lines, or, when none is named, the numbers of a metric
 * query and the lines of a log query. Each once, in the order of the answer.
 */
export function valuesOfFrames(frames: DataFrame[], label?: string): MetricFindValue[] {
  const texts = frames.flatMap((frame) => (label ? labelValues(frame, label) : bareValues(frame)));
  return [...new Set(texts)].map((text) => ({ text }));
}

function labelValues(frame: DataFrame, label: string): string[] {
  const rows = frame.fields.find(({ name }) => name === 'labels')?.values;
  const ofRows = rows ? [...rows].map((labels) => labels?.[label]) : [];
  const ofSeries = frame.fields.map(({ labels }) => labels?.[label]);
  return [...ofSeries, ...ofRows].filter((value): value is string => Boolean(value));
}

function bareValues(frame: DataFrame): string[] {
  const body = frame.fields.find(({ name }) => name === 'body');
  const field = body ?? frame.fields.find(({ type }) => type === FieldType.number);
  return field ? [...field.values].filter((value) => value !== null).map(String) : [];
}
