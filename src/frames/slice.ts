import { DataFrame } from '@grafana/data';

/** Rows `from` to `to` (not included) of a frame. */
export function sliceFrame(frame: DataFrame, from: number, to = frame.length): DataFrame {
  return {
    ...frame,
    length: Math.max(0, Math.min(to, frame.length) - from),
    fields: frame.fields.map((field) => ({
      ...field,
      values: field.values.slice(from, to),
      ...(field.nanos && { nanos: field.nanos.slice(from, to) }),
      // Counted from other rows.
      state: undefined,
    })),
  };
}

/** The rows of both frames, those of the first before those of the second. Fields that only one has are dropped. */
export function concatFrames(a: DataFrame, b: DataFrame): DataFrame {
  const fields = a.fields.flatMap((field) => {
    const other = b.fields.find(({ name, type }) => name === field.name && type === field.type);
    if (!other) {
      return [];
    }
    const nanos =
      field.nanos || other.nanos
        ? [...(field.nanos ?? zeros(a.length)), ...(other.nanos ?? zeros(b.length))]
        : undefined;
    return [{ ...field, values: [...field.values, ...other.values], ...(nanos && { nanos }), state: undefined }];
  });
  return { ...a, fields, length: a.length + b.length };
}

function zeros(length: number): number[] {
  return new Array<number>(length).fill(0);
}
