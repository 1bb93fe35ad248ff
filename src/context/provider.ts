import {
  DataFrame,
  DataQueryRequest,
  DataQueryResponse,
  LogRowContextOptions,
  LogRowModel,
  toDataFrame,
} from '@grafana/data';
import { Observable, lastValueFrom } from 'rxjs';

import { t } from '../i18n';
import { CambiumQuery } from '../types';
import {
  CONTEXT_LINES,
  CONTEXT_WINDOWS_MS,
  ContextLabel,
  contextLabels,
  contextQuery,
  contextRequest,
  isBackward,
  rowsBeyond,
} from './query';

type Ask = (request: DataQueryRequest<CambiumQuery>) => Observable<DataQueryResponse>;

/** Finds the lines around a line. Remembers which labels the reader chose for it. */
export class ContextProvider {
  private chosen?: { uid: string; labels: ContextLabel[] };

  constructor(private readonly ask: Ask) {}

  labelsOf(row: LogRowModel): ContextLabel[] {
    return this.chosen?.uid === row.uid ? this.chosen.labels : contextLabels(row);
  }

  choose(row: LogRowModel, labels: ContextLabel[]): void {
    this.chosen = { uid: row.uid, labels };
  }

  query(row: LogRowModel, options?: LogRowContextOptions, original?: CambiumQuery): CambiumQuery {
    const limit = options?.limit ?? CONTEXT_LINES;
    // One more than wanted: the line itself is among them.
    return contextQuery(this.labelsOf(row), isBackward(options?.direction), limit + 1, original);
  }

  async rows(row: LogRowModel, options?: LogRowContextOptions, original?: CambiumQuery): Promise<DataQueryResponse> {
    const query = this.query(row, options, original);
    const windows = options?.timeWindowMs ? [options.timeWindowMs] : CONTEXT_WINDOWS_MS;
    let answer: DataQueryResponse = { data: [] };
    for (const windowMs of windows) {
      answer = await lastValueFrom(this.ask(contextRequest(row, query, windowMs)));
      const failed = answer.errors?.[0];
      if (failed) {
        throw new Error(failed.message ?? t('context.failed', 'The lines around this one could not be read'));
      }
      if (lineCount(answer) >= query.maxLines!) {
        break;
      }
    }
    return { ...answer, data: answer.data.map((frame: DataFrame) => toDataFrame(rowsBeyond(frame, row))) };
  }
}

function lineCount({ data }: DataQueryResponse): number {
  return (data as DataFrame[]).reduce((sum, frame) => sum + frame.length, 0);
}
