import { DataFrame, DataQueryResponse, FieldType, Labels } from '@grafana/data';

import { concatFrames, sliceFrame } from '../frames/slice';

export function isLogFrame(frame: DataFrame): boolean {
  return frame.meta?.type === 'log-lines' || frame.fields.some(({ name }) => name === 'body');
}

/**
 * Joins the answers over two parts of a range. `earlier` tells which of them lies earlier in time: the points of a
 * series are kept in the order of time, lines in the order in which they were asked for.
 */
export function mergeResponses(
  before: DataQueryResponse | undefined,
  next: DataQueryResponse,
  nextIsEarlier: boolean
): DataQueryResponse {
  if (!before) {
    return next;
  }
  const frames = [...(before.data as DataFrame[])];
  for (const frame of next.data as DataFrame[]) {
    const at = frames.findIndex((candidate) => sameSeries(candidate, frame));
    if (at < 0) {
      frames.push(frame);
    } else {
      frames[at] = join(frames[at], frame, nextIsEarlier);
    }
  }
  return { ...next, data: frames, errors: [...(before.errors ?? []), ...(next.errors ?? [])] };
}

function join(before: DataFrame, next: DataFrame, nextIsEarlier: boolean): DataFrame {
  const meta = joinMeta(before, next);
  if (!isLogFrame(before) && nextIsEarlier) {
    return { ...before, ...joinPoints(next, before), meta };
  }
  return { ...(isLogFrame(before) ? concatFrames(before, next) : joinPoints(before, next)), meta };
}

/** A point at the seam may be in both parts: ranges include both ends. */
function joinPoints(early: DataFrame, late: DataFrame): DataFrame {
  const last = early.length ? early.fields.find(isTime)?.values[early.length - 1] : undefined;
  const first = late.length ? late.fields.find(isTime)?.values[0] : undefined;
  return concatByType(early, last !== undefined && last === first ? sliceFrame(late, 1) : late);
}

function concatByType(a: DataFrame, b: DataFrame): DataFrame {
  return {
    ...a,
    length: a.length + b.length,
    fields: a.fields.map((field, i) => ({
      ...field,
      values: [...field.values, ...(b.fields[i]?.values ?? [])],
      state: undefined,
    })),
  };
}

/** Frames of one query that hold the same series, or lines. */
function sameSeries(a: DataFrame, b: DataFrame): boolean {
  if (a.refId !== b.refId || isLogFrame(a) !== isLogFrame(b)) {
    return false;
  }
  return isLogFrame(a) || (a.fields.length === b.fields.length && labelKey(a) === labelKey(b));
}

function labelKey(frame: DataFrame): string {
  return frame.fields
    .filter(({ type }) => type !== FieldType.time)
    .map(({ name, labels = {} }) => name + JSON.stringify(sorted(labels)))
    .join();
}

function sorted(labels: Labels): Array<[string, string]> {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

function isTime({ type }: { type: FieldType }): boolean {
  return type === FieldType.time;
}

/** Numbers of the inspector add up; notices are told once. */
function joinMeta(a: DataFrame, b: DataFrame): DataFrame['meta'] {
  const notices = [...(a.meta?.notices ?? []), ...(b.meta?.notices ?? [])];
  const known = a.meta?.stats ?? [];
  const stats = known.map((stat) => {
    const other = b.meta?.stats?.find(({ displayName }) => displayName === stat.displayName);
    return other && adds(stat.displayName ?? '') ? { ...stat, value: stat.value + other.value } : stat;
  });
  return {
    ...a.meta,
    ...((a.meta?.custom || b.meta?.custom) && { custom: { ...b.meta?.custom, ...a.meta?.custom } }),
    ...(known.length && { stats }),
    ...(notices.length && {
      notices: notices.filter(({ text }, i) => notices.findIndex((one) => one.text === text) === i),
    }),
  };
}

function adds(name: string): boolean {
  return !/per second|\/s\b|ratio|rate/i.test(name);
}
