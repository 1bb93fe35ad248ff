import { DataFrame, FieldType, Labels, LogRowModel } from '@grafana/data';

/** One line of a log frame, as the list shows it. */
export interface Row {
  id: string;
  time: number;
  nanos: string;
  body: string;
  level: string;
  labels: Labels;
  frame: DataFrame;
  index: number;
}

export function isLogFrame(frame: DataFrame): boolean {
  return frame.meta?.type === 'log-lines' || frame.fields.some(({ name }) => name === 'body' || name === 'Line');
}

export function rowsOf(frames: DataFrame[]): Row[] {
  return frames.filter(isLogFrame).flatMap((frame) => {
    const field = (name: string) => frame.fields.find((candidate) => candidate.name === name);
    const time = field('timestamp') ?? frame.fields.find(({ type }) => type === FieldType.time);
    const body = field('body');
    const [severity, id, labels] = [field('severity'), field('id'), field('labels')];
    if (!time || !body) {
      return [];
    }
    return Array.from({ length: frame.length }, (_, index) => {
      const own = (labels?.values[index] ?? {}) as Labels;
      const ms = Number(time.values[index]);
      return {
        id: String(id?.values[index] ?? index),
        time: ms,
        nanos: String(time.nanos?.[index] ?? 0).padStart(6, '0'),
        body: String(body.values[index]),
        level: normaliseLevel(severity?.values[index] || own.detected_level || own.level),
        labels: own,
        frame,
        index,
      };
    });
  });
}

/** The row as Grafana hands it to a data source. */
export function rowModel(row: Row): LogRowModel {
  return {
    uid: `A_${row.id}`,
    rowId: row.id,
    rowIndex: row.index,
    entry: row.body,
    raw: row.body,
    labels: row.labels,
    dataFrame: row.frame,
    timeEpochMs: row.time,
    timeEpochNs: `${row.time}${row.nanos}`,
  } as LogRowModel;
}

const LEVELS = ['critical', 'error', 'warning', 'info', 'debug', 'trace'];
const ALIASES: Record<string, string> = { fatal: 'critical', err: 'error', warn: 'warning', information: 'info' };

export function normaliseLevel(level: unknown): string {
  const text = String(level ?? '').toLowerCase();
  const known = ALIASES[text] ?? text;
  return LEVELS.includes(known) ? known : 'unknown';
}

export const LEVEL_COLORS: Record<string, string> = {
  critical: '#b877d9',
  error: '#e24d42',
  warning: '#ecb138',
  info: '#6ccf8e',
  debug: '#5195ce',
  trace: '#6ed0e0',
  unknown: '#8e8e8e',
};

/** One line or bar series of numbers over time. */
export interface Series {
  name: string;
  labels: Labels;
  times: number[];
  values: Array<number | null>;
}

export function seriesOf(frames: DataFrame[]): Series[] {
  return frames.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    return frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => ({
        name: field.config.displayNameFromDS ?? frame.name ?? (labelText(field.labels) || field.name),
        labels: field.labels ?? {},
        times: time ? Array.from(time.values, Number) : [],
        values: Array.from(field.values),
      }));
  });
}

export function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length ? `{${pairs.join(', ')}}` : '';
}
