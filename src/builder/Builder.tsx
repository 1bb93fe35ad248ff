import React from 'react';
import { TimeRange } from '@grafana/data';
import { Alert, Combobox, IconButton, InlineField, InlineFieldRow, Input, MultiCombobox, Stack } from '@grafana/ui';

import { CommitInput } from '../components/CommitInput';
import { Word, aggregations, lineFilters, rangeFunctions, stages } from '../completion/words';
import { t } from '../i18n';
import { LabelClient } from '../labels/client';
import { LabelMatcher } from '../logql/tree';
import { MatcherRow } from './MatcherRow';
import { BuilderModel, fromExpr, toExpr } from './model';

interface Props {
  expr: string;
  labels: LabelClient;
  range?: TimeRange;
  onChange: (expr: string) => void;
}

const NONE = '';

const newStages = () => [
  ...lineFilters().map(({ name, insert = name, doc }) => option(name, insert, doc)),
  ...stages().map(({ name, insert = name, doc }) => option(`| ${name}`, `| ${insert}`, doc)),
];
const functionOptions = () => [
  { value: NONE, label: t('builder.no-function', 'None: show lines') },
  ...rangeFunctions().map(named),
];
const aggregationOptions = () => [
  { value: NONE, label: t('builder.no-aggregation', 'None') },
  ...aggregations()
    .filter(({ name }) => !name.startsWith('sort'))
    .map(named),
];

function named({ name, doc }: Word) {
  return option(name, name, doc);
}

function option(label: string, insert: string, description: string) {
  return { value: insert.replace('$0', ''), label, description };
}

/** Selector, stages and aggregation as a form. Every change is written as LogQL at once: there is no state but the query. */
export function Builder({ expr, labels, range, onChange }: Props) {
  const model = fromExpr(expr);
  if (!model) {
    return (
      <Alert severity="info" title={t('builder.too-much', 'The builder cannot show this query')}>
        {t('builder.too-much-why', 'It has more than one selector or function, or is not complete. Edit it as code.')}
      </Alert>
    );
  }
  return <BuilderForm model={model} labels={labels} range={range} onChange={(next) => onChange(toExpr(next))} />;
}

interface FormProps extends Omit<Props, 'expr' | 'onChange'> {
  model: BuilderModel;
  onChange: (model: BuilderModel) => void;
}

function BuilderForm({ model, labels, range, onChange }: FormProps) {
  const change = (part: Partial<BuilderModel>) => onChange({ ...model, ...part });
  const replace = <T,>(list: T[], at: number, ...by: T[]) => [...list.slice(0, at), ...by, ...list.slice(at + 1)];
  const [functionName, param] = (model.rangeFunction?.name ?? NONE).split(' ');
  const labelOptions = async (typed: string) => {
    const names = await labels.labelNames(range);
    const expr = toExpr({ ...model, rangeFunction: undefined });
    const fields = await labels.detectedFields(expr, range, 'all').catch(() => []);
    return [...names, ...fields.map(({ label }) => label)]
      .filter((name) => name.includes(typed))
      .map((value) => ({ value, label: value }));
  };

  return (
    <Stack direction="column" gap={1}>
      <div role="group" aria-label={t('builder.labels', 'Labels')}>
        {[...model.matchers, EMPTY_MATCHER].map((matcher, i) => (
          <MatcherRow
            key={i}
            matcher={matcher}
            others={model.matchers.filter((_, j) => j !== i)}
            labels={labels}
            range={range}
            onChange={(next) => change({ matchers: replace(model.matchers, i, next) })}
            onRemove={i < model.matchers.length ? () => change({ matchers: replace(model.matchers, i) }) : undefined}
          />
        ))}
      </div>
      <div role="group" aria-label={t('builder.stages', 'Stages')}>
        {model.stages.map((stage, i) => (
          <InlineFieldRow key={`${i}-${stage}`}>
            <InlineField label={i === 0 ? t('builder.stages', 'Stages') : ' '} labelWidth={14} grow>
              <CommitInput
                id={`cambium-stage-${i}`}
                ariaLabel={t('builder.stage', 'Stage {{n}}', { n: i + 1 })}
                value={stage}
                onCommit={(text) =>
                  change({ stages: text.trim() ? replace(model.stages, i, text.trim()) : replace(model.stages, i) })
                }
              />
            </InlineField>
            <IconButton
              name="times"
              tooltip={t('builder.remove-stage', 'Remove stage {{n}}', { n: i + 1 })}
              onClick={() => change({ stages: replace(model.stages, i) })}
            />
          </InlineFieldRow>
        ))}
        <InlineField label={model.stages.length ? ' ' : t('builder.stages', 'Stages')} labelWidth={14}>
          <Combobox
            aria-label={t('builder.add-stage', 'Add stage')}
            placeholder={t('builder.add-stage-hint', 'Add a filter or parser')}
            width={40}
            options={newStages()}
            value={null}
            onChange={({ value }) => change({ stages: [...model.stages, value] })}
          />
        </InlineField>
      </div>
      <InlineFieldRow>
        <InlineField label={t('builder.function', 'Function')} labelWidth={14}>
          <Combobox
            aria-label={t('builder.function', 'Function')}
            width={30}
            options={functionOptions()}
            value={functionName}
            onChange={({ value }) =>
              change(
                value
                  ? { rangeFunction: { name: withParam(value), range: model.rangeFunction?.range ?? '$__auto' } }
                  : { rangeFunction: undefined, aggregation: undefined, unwrap: undefined }
              )
            }
          />
        </InlineField>
        {model.rangeFunction && (
          <>
            <InlineField label={t('builder.range', 'Range')}>
              <CommitInput
                id="cambium-builder-range"
                ariaLabel={t('builder.range', 'Range')}
                width={14}
                value={model.rangeFunction.range}
                onCommit={(text) =>
                  change({ rangeFunction: { ...model.rangeFunction!, range: text.trim() || '$__auto' } })
                }
              />
            </InlineField>
            <InlineField
              label={t('builder.value', 'Value')}
              tooltip={t('builder.value-tip', 'Field to compute with; empty: entries are counted')}
            >
              <CommitInput
                id="cambium-builder-unwrap"
                ariaLabel={t('builder.unwrap', 'Unwrap field')}
                width={18}
                value={model.unwrap ?? ''}
                onCommit={(text) => change({ unwrap: text.trim() || undefined })}
              />
            </InlineField>
            {param !== undefined && (
              <InlineField label={t('builder.quantile', 'Quantile')}>
                <CommitInput
                  id="cambium-builder-quantile"
                  ariaLabel={t('builder.quantile', 'Quantile')}
                  width={10}
                  value={param}
                  onCommit={(text) =>
                    change({
                      rangeFunction: { ...model.rangeFunction!, name: `${functionName} ${text.trim() || '0.95'}` },
                    })
                  }
                />
              </InlineField>
            )}
          </>
        )}
      </InlineFieldRow>
      {model.rangeFunction && (
        <InlineFieldRow>
          <InlineField label={t('builder.aggregation', 'Aggregation')} labelWidth={14}>
            <Combobox
              aria-label={t('builder.aggregation', 'Aggregation')}
              width={30}
              options={aggregationOptions()}
              value={model.aggregation?.name ?? NONE}
              onChange={({ value }) =>
                change({
                  aggregation: value
                    ? { ...model.aggregation, name: value, param: /k$/.test(value) ? '10' : undefined }
                    : undefined,
                })
              }
            />
          </InlineField>
          {model.aggregation && (
            <InlineField label={model.aggregation.without ? t('builder.without', 'Without') : t('builder.by', 'By')}>
              <MultiCombobox
                aria-label={t('builder.group-by', 'Group by')}
                width={40}
                createCustomValue
                options={labelOptions}
                value={model.aggregation.by ?? []}
                onChange={(chosen) =>
                  change({ aggregation: { ...model.aggregation!, by: chosen.map(({ value }) => String(value)) } })
                }
              />
            </InlineField>
          )}
        </InlineFieldRow>
      )}
      <Input
        readOnly
        aria-label={t('builder.as-code', 'Query as code')}
        value={toExpr(model)}
        prefix="LogQL"
        data-testid="cambium-builder-code"
      />
    </Stack>
  );
}

const EMPTY_MATCHER: LabelMatcher = { label: '', op: '=', value: '' };

function withParam(name: string): string {
  return name === 'quantile_over_time' ? `${name} 0.95` : name;
}
