import { AGGREGATIONS, LINE_FILTERS, RANGE_FUNCTIONS, STAGES, UNWRAP } from '../completion/words';
import { logParts } from '../logql/tree';
import { fromExpr } from './model';

export interface Step {
  text: string;
  says: string;
}

/** A query step by step, in the order in which it is worked. */
export function explain(expr: string): Step[] {
  const model = fromExpr(expr);
  const parts = logParts(expr);
  const steps = parts.flatMap(({ selector, stages }, i): Step[] => [
    {
      text: expr.slice(selector.from, selector.to),
      says: `Take the lines of the streams with these labels${parts.length > 1 ? ` (${i + 1} of ${parts.length})` : ''}.`,
    },
    ...stages.map((stage) => ({ text: stage.text, says: sayStage(stage.text) })),
  ]);
  if (model?.unwrap) {
    steps.push({ text: `| unwrap ${model.unwrap}`, says: `${UNWRAP.doc}.` });
  }
  if (model?.rangeFunction) {
    const { name, range } = model.rangeFunction;
    const doc = RANGE_FUNCTIONS.find((word) => word.name === name.split(' ')[0])?.doc ?? name;
    steps.push({ text: `${name} [${range}]`, says: `${doc}, at every step over the last ${range}.` });
  }
  if (model?.aggregation) {
    const { name, by = [], without } = model.aggregation;
    const doc = AGGREGATIONS.find((word) => word.name === name)?.doc ?? name;
    const groups = by.length ? `, ${without ? 'over' : 'one for each'} ${by.join(', ')}` : '';
    steps.push({ text: name, says: `${doc}${groups}.` });
  }
  if (!model && parts.length) {
    steps.push({ text: '…', says: 'Compute with the results as written.' });
  }
  return steps;
}

function sayStage(stage: string): string {
  const filter = LINE_FILTERS.find(({ name }) => stage.startsWith(name) && !/^\|\s/.test(stage));
  if (filter) {
    return `${filter.doc.replace('Lines', 'Keep the lines')}.`;
  }
  const name = /^\|\s*(\w+)/.exec(stage)?.[1];
  const word = STAGES.find((one) => one.name === name);
  return word && !/^\|\s*\w+\s*[=!<>]/.test(stage) ? `${word.doc}.` : 'Keep the entries for which this holds.';
}
