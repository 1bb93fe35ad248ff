import { DataQuery } from '@grafana/schema';

export type VariableKind = 'labelNames' | 'labelValues' | 'fieldNames' | 'fieldValues' | 'query';

/** What a template variable asks for. */
export interface VariableQuery extends DataQuery {
  kind: VariableKind;
  /** Label or field whose values are wanted; for `query`, the label of each series (empty: the lines or values). */
  label?: string;
  /** Narrows the streams; for fields a log query, for `query` the query itself. */
  expr?: string;
}

export const EMPTY_VARIABLE: Omit<VariableQuery, 'refId'> = { kind: 'labelValues' };

const LABEL_VALUES = /^\s*label_values\(\s*(?:(.+?)\s*,\s*)?(\w+)\s*\)\s*$/s;

/** Reads a variable as it is stored: ours, or one of the texts that Loki's data source knew. */
export function readVariable(stored: unknown): VariableQuery {
  if (typeof stored === 'string') {
    return { refId: 'variable', ...fromText(stored) };
  }
  const given = (stored ?? {}) as Partial<VariableQuery> & { type?: number; stream?: string };
  if (given.kind) {
    return { refId: 'variable', ...given, kind: given.kind };
  }
  // Loki's: 0 = names, 1 = values.
  if (given.type !== undefined) {
    return {
      refId: 'variable',
      kind: given.type === 0 ? 'labelNames' : 'labelValues',
      label: given.label,
      expr: given.stream,
    };
  }
  return { refId: 'variable', ...EMPTY_VARIABLE };
}

function fromText(text: string): Omit<VariableQuery, 'refId'> {
  if (/^\s*label_names\(\s*\)\s*$/.test(text)) {
    return { kind: 'labelNames' };
  }
  const values = LABEL_VALUES.exec(text);
  if (values) {
    return { kind: 'labelValues', label: values[2], expr: values[1] };
  }
  return text.trim() ? { kind: 'query', expr: text } : EMPTY_VARIABLE;
}

/** True when there is enough to ask. */
export function isComplete({ kind, label, expr }: VariableQuery): boolean {
  switch (kind) {
    case 'labelNames':
      return true;
    case 'labelValues':
      return Boolean(label);
    case 'fieldNames':
      return Boolean(expr);
    case 'fieldValues':
      return Boolean(label && expr);
    case 'query':
      return Boolean(expr);
  }
}
