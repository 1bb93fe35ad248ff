import { aggregations, lineFilters, rangeFunctions, stages as stageWords, unwrap } from '../completion/words';
import { t } from '../i18n';
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
      says:
        parts.length > 1
          ? t('explain.selector-of', 'Take the lines of the streams with these labels ({{part}} of {{parts}}).', {
              part: i + 1,
              parts: parts.length,
            })
          : t('explain.selector', 'Take the lines of the streams with these labels.'),
    },
    ...stages.map((stage) => ({ text: stage.text, says: sayStage(stage.text) })),
  ]);
  if (model?.unwrap) {
    steps.push({ text: `| unwrap ${model.unwrap}`, says: `${unwrap().doc}.` });
  }
  if (model?.rangeFunction) {
    const { name, range } = model.rangeFunction;
    const doc = rangeFunctions().find((word) => word.name === name.split(' ')[0])?.doc ?? name;
    steps.push({
      text: `${name} [${range}]`,
      says: t('explain.over-time', '{{what}}, at every step over the last {{range}}.', { what: doc, range }),
    });
  }
  if (model?.aggregation) {
    const { name, by = [], without } = model.aggregation;
    const doc = aggregations().find((word) => word.name === name)?.doc ?? name;
    steps.push({ text: name, says: sayGroups(doc, by.join(', '), without) });
  }
  if (!model && parts.length) {
    steps.push({ text: '…', says: t('explain.compute', 'Compute with the results as written.') });
  }
  return steps;
}

function sayGroups(what: string, labels: string, without?: boolean): string {
  if (!labels) {
    return `${what}.`;
  }
  return without
    ? t('explain.without', '{{what}}, over {{labels}}.', { what, labels })
    : t('explain.by', '{{what}}, one for each {{labels}}.', { what, labels });
}

function sayStage(stage: string): string {
  const filter = lineFilters().find(({ name }) => stage.startsWith(name) && !/^\|\s/.test(stage));
  if (filter) {
    return `${filter.doc}.`;
  }
  const name = /^\|\s*(\w+)/.exec(stage)?.[1];
  const word = stageWords().find((one) => one.name === name);
  return word && !/^\|\s*\w+\s*[=!<>]/.test(stage)
    ? `${word.doc}.`
    : t('explain.label-filter', 'Keep the entries for which this holds.');
}
