import { AnnotationEvent, AnnotationQuery, AnnotationSupport, DataFrame, FieldType, Labels } from '@grafana/data';
import { of } from 'rxjs';

import { isLogFrame } from './split/merge';
import { CambiumQuery } from './types';

export interface CambiumAnnotation extends AnnotationQuery<CambiumQuery> {
  /** Query of annotations that were made for Loki. */
  expr?: string;
  /** Texts with `{{label}}` in them; empty: the names of the stream, and the line. */
  titleFormat?: string;
  textFormat?: string;
  /** Labels that become tags, separated by commas; empty: the level. */
  tagKeys?: string;
}

const MAX_LINES = 500;

export const annotationSupport: AnnotationSupport<CambiumQuery, CambiumAnnotation> = {
  prepareAnnotation: (json: CambiumAnnotation) => ({
    ...json,
    target: json.target ?? (json.expr ? { refId: 'annotation', expr: json.expr } : undefined),
  }),
  prepareQuery: ({ target }) => {
    return target?.expr ? { maxLines: MAX_LINES, ...target, refId: 'annotation', queryType: 'range' } : undefined;
  },
  processEvents: (annotation, frames) => of(eventsOf(annotation, frames)),
};

/** One event for each line; for a metric query one for each point that is not zero. */
export function eventsOf(annotation: CambiumAnnotation, frames: DataFrame[]): AnnotationEvent[] {
  const tagKeys = (annotation.tagKeys ?? 'detected_level,level').split(',').map((key) => key.trim());
  return frames.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    const lines = isLogFrame(frame);
    const value = frame.fields.find(({ name, type }) => (lines ? name === 'body' : type === FieldType.number));
    const rowLabels = frame.fields.find(({ name }) => name === 'labels')?.values;
    if (!time || !value) {
      return [];
    }
    return [...time.values].flatMap((at, row) => {
      const labels: Labels = rowLabels?.[row] ?? value.labels ?? {};
      if (!lines && !value.values[row]) {
        return [];
      }
      const text = annotation.textFormat ? fill(annotation.textFormat, labels) : String(value.values[row]);
      return [
        {
          time: Number(at),
          title: annotation.titleFormat ? fill(annotation.titleFormat, labels) : undefined,
          text,
          tags: [...new Set(tagKeys.map((key) => labels[key]).filter(Boolean))],
        },
      ];
    });
  });
}

function fill(format: string, labels: Labels): string {
  return format.replace(/\{\{\s*\.?(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '');
}
