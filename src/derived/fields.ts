import { DataFrame, DataLink, Field, FieldType } from '@grafana/data';

import { DerivedField } from '../types';

/** Tells the name of a data source; undefined for one that is gone. */
type Name = (uid: string) => string | undefined;

/** Adds a field for every derived field, with its link, to frames that hold lines. */
export function addDerivedFields(frames: DataFrame[], fields: DerivedField[] = [], nameOf: Name): DataFrame[] {
  const usable = fields.filter(({ name, matcherRegex }) => name && matcherRegex);
  return usable.length ? frames.map((frame) => withFields(frame, usable, nameOf)) : frames;
}

function withFields(frame: DataFrame, fields: DerivedField[], nameOf: Name): DataFrame {
  const body = frame.fields.find(({ name }) => name === 'body');
  if (!body) {
    return frame;
  }
  const labels = frame.fields.find(({ name }) => name === 'labels')?.values ?? [];
  const byName = new Map<string, DerivedField[]>();
  for (const field of fields) {
    byName.set(field.name, [...(byName.get(field.name) ?? []), field]);
  }
  const added = [...byName].flatMap(([name, group]): Field[] => {
    const read = group.map(reader);
    const values = body.values.map((line, row) => first(read, String(line), labels[row]) ?? null);
    const links = group.flatMap((field) => linkOf(field, nameOf) ?? []);
    return values.some((value) => value !== null) ? [{ name, type: FieldType.string, config: { links }, values }] : [];
  });
  return { ...frame, fields: [...frame.fields, ...added] };
}

type Reader = (line: string, labels: Record<string, string> | undefined) => string | undefined;

/** The value of a derived field in a line: of the first group, of the whole match without one, or of a label. */
export function reader({ matcherType, matcherRegex }: DerivedField): Reader {
  let regex: RegExp;
  try {
    regex = new RegExp(matcherType === 'label' ? `^(?:${matcherRegex})$` : matcherRegex);
  } catch {
    return () => undefined;
  }
  if (matcherType === 'label') {
    return (_, labels = {}) => labels[Object.keys(labels).find((label) => regex.test(label)) ?? ''];
  }
  return (line) => {
    const match = regex.exec(line);
    return match ? (match[1] ?? match[0]) : undefined;
  };
}

function first(readers: Reader[], line: string, labels: Record<string, string> | undefined): string | undefined {
  for (const read of readers) {
    const value = read(line, labels);
    if (value) {
      return value;
    }
  }
  return undefined;
}

function linkOf(field: DerivedField, nameOf: Name): DataLink | undefined {
  if (field.datasourceUid) {
    const name = nameOf(field.datasourceUid);
    return {
      title: field.urlDisplayLabel ?? '',
      url: '',
      // Tracing data sources read `query`; `queryType` tells Tempo that it is an id.
      internal: {
        datasourceUid: field.datasourceUid,
        datasourceName: name ?? '',
        query: { refId: 'A', query: field.url || '${__value.raw}', queryType: 'traceql' },
      },
    };
  }
  return field.url ? { title: field.urlDisplayLabel ?? '', url: field.url, targetBlank: true } : undefined;
}
