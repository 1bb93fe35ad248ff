import React from 'react';
import { TimeRange } from '@grafana/data';
import { Alert, Combobox, IconButton, InlineField, InlineFieldRow, Input, MultiCombobox, Stack } from '@grafana/ui';

import { CommitInput } from '../components/CommitInput';
import { AGGREGATIONS, LINE_FILTERS, RANGE_FUNCTIONS, STAGES } from '../completion/words';
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
const NEW_STAGES = [...LINE_FILTERS, ...STAGES.map((word) => ({ ...word, name: `| ${word.name}` }))].map((word) => ({
  value: (word.name.startsWith('| ') ? `| ${word.insert ?? word.name.slice(2)}` : (word.insert ?? word.name)).replace(
    '$0',
    ''
  ),
  label: word.name,
  description: word.doc,
}));
const FUNCTIONS = [{ value: NONE, label: 'None: show lines' }, ...RANGE_FUNCTIONS.map(option)];
const AGGREGATE = [
  { value: NONE, label: 'None' },
  ...AGGREGATIONS.filter(({ name }) => !name.startsWith('sort')).map(option),
];

function option({ name, doc }: { name: string; doc: string }) {
  return { value: name, label: name, description: doc };
}

/** Selector, stages and aggregation as a form. Every change is written as LogQL at once: there is no state but the query. */
export function Builder({ expr, labels, range, onChange }: Props) {
  const model = fromExpr(expr);
  if (!model) {
    return (
      <Alert severity="info" title="The builder cannot show this query">
        It has more than one selector or function, or is not complete. Edit it as code.
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
    const fields = await labels.detectedFields(toExpr({ ...model, rangeFunction: undefined }), range).catch(() => []);
    return [...names, ...fields.map(({ label }) => label)]
      .filter((name) => name.includes(typed))
      .map((value) => ({ value, label: value }));
  };

  return (
    <Stack direction="column" gap={1}>
      <div role="group" aria-label="Labels">
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
      <div role="group" aria-label="Stages">
        {model.stages.map((stage, i) => (
          <InlineFieldRow key={`${i}-${stage}`}>
            <InlineField label={i === 0 ? 'Stages' : ' '} labelWidth={14} grow>
              <CommitInput
                id={`cambium-stage-${i}`}
                ariaLabel={`Stage ${i + 1}`}
                value={stage}
                onCommit={(text) =>
                  change({ stages: text.trim() ? replace(model.stages, i, text.trim()) : replace(model.stages, i) })
                }
              />
            </InlineField>
            <IconButton
              name="times"
              tooltip={`Remove stage ${i + 1}`}
              onClick={() => change({ stages: replace(model.stages, i) })}
            />
          </InlineFieldRow>
        ))}
        <InlineField label={model.stages.length ? ' ' : 'Stages'} labelWidth={14}>
          <Combobox
            aria-label="Add stage"
            placeholder="Add a filter or parser"
            width={40}
            options={NEW_STAGES}
            value={null}
            onChange={({ value }) => change({ stages: [...model.stages, value] })}
          />
        </InlineField>
      </div>
      <InlineFieldRow>
        <InlineField label="Function" labelWidth={14}>
          <Combobox
            aria-label="Function"
            width={30}
            options={FUNCTIONS}
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
            <InlineField label="Range">
              <CommitInput
                id="cambium-builder-range"
                ariaLabel="Range"
                width={14}
                value={model.rangeFunction.range}
                onCommit={(text) =>
                  change({ rangeFunction: { ...model.rangeFunction!, range: text.trim() || '$__auto' } })
                }
              />
            </InlineField>
            <InlineField label="Value" tooltip="Field to compute with; empty: entries are counted">
              <CommitInput
                id="cambium-builder-unwrap"
                ariaLabel="Unwrap field"
                width={18}
                value={model.unwrap ?? ''}
                onCommit={(text) => change({ unwrap: text.trim() || undefined })}
              />
            </InlineField>
            {param !== undefined && (
              <InlineField label="Quantile">
                <CommitInput
                  id="cambium-builder-quantile"
                  ariaLabel="Quantile"
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
          <InlineField label="Aggregation" labelWidth={14}>
            <Combobox
              aria-label="Aggregation"
              width={30}
              options={AGGREGATE}
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
            <InlineField label={model.aggregation.without ? 'Without' : 'By'}>
              <MultiCombobox
                aria-label="Group by"
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
        aria-label="Query as code"
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
