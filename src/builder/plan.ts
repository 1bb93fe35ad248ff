import { DataFrame, QueryResultMetaStat, getValueFormat } from '@grafana/data';

/** How the engine works a query, as it says with the first frame of an explained one. */
export interface Plan {
  kind: 'log' | 'metric';
  /** What is computed with the results of the reads. */
  promql?: string;
  reads: PlanRead[];
  notes?: string[];
}

/** One pass over the store. */
export interface PlanRead {
  expression: string;
  matchers: string;
  /** Texts that a stored line must contain: chunks without them are not opened. */
  literals?: string[];
  /** The only labels that are extracted from lines; meaningless with `allLabels`. */
  labels?: string[];
  allLabels?: boolean;
  /** Aggregation that is done while reading. */
  folded?: string;
  strategy: string;
}

/** The plan of a query and what it did, of the last answer; undefined when the answer was not asked to tell. */
export function explained(frames: DataFrame[] = [], refId: string): { plan: Plan; did: Told[] } | undefined {
  const meta = frames.find((frame) => frame.refId === refId && frame.meta?.custom?.plan)?.meta;
  return meta && { plan: meta.custom!.plan as Plan, did: (meta.stats ?? []).filter(({ value }) => value).map(tell) };
}

/** A number with its name, as text. */
export interface Told {
  name: string;
  value: string;
}

function tell({ displayName = '', unit = 'short', value }: QueryResultMetaStat): Told {
  const { prefix = '', text, suffix = '' } = getValueFormat(unit)(value);
  return { name: displayName, value: prefix + text + suffix };
}
