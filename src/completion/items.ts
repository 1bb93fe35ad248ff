import { TimeRange } from '@grafana/data';

import { t } from '../i18n';
import { LabelClient } from '../labels/client';
import { matcherText } from '../logql/edit';
import { escapeRegex, escapeString } from '../logql/quote';
import { LabelMatcher } from '../logql/tree';
import { Situation } from './situation';
import { Word, aggregations, durations, groupings, lineFilters, rangeFunctions, stages, unwrap } from './words';

export type ItemKind = 'label' | 'value' | 'field' | 'stage' | 'function' | 'duration' | 'history' | 'variable';

export interface Item {
  kind: ItemKind;
  label: string;
  insert: string;
  doc?: string;
  /** Told beside the label. */
  detail?: string;
  /** Opens the list again after this one is taken: there is something to complete at the new place. */
  again?: boolean;
}

/** What completion can ask. */
export interface Source {
  labels: LabelClient;
  range: () => TimeRange | undefined;
  history: () => string[];
  /** Names of dashboard variables, without the sigil. */
  variables: () => string[];
}

const MAX_HISTORY = 10;

/** What may be written at a place, the likeliest first. Rejects when the backend does. */
export async function itemsFor(situation: Situation, source: Source): Promise<Item[]> {
  switch (situation.kind) {
    case 'start':
      return [...selectorStart(), ...history(source), ...functions()];
    case 'expression':
      return [...functions(), ...words(groupings(), 'function'), ...selectorStart()];
    case 'labelName':
      return labelNames(situation.others, source);
    case 'labelValue':
      return [...variables(source, situation.quoted), ...(await labelValues(situation, source))];
    case 'pipeline':
      return pipeline(situation.inRange);
    case 'stage':
      return stage(situation.log, await fields(situation.log, source, true));
    case 'field':
      return fields(situation.log, source, false);
    case 'fieldValue': {
      const values = await source.labels.fieldValues(situation.label, situation.log, source.range());
      return [
        ...variables(source, situation.quoted),
        ...values.map((value) => valueItem(value, situation.quoted, false)),
      ];
    }
    case 'grouping':
      return [
        ...(await labelNames([], source, '')),
        ...(situation.log ? await fields(situation.log, source, false) : []),
      ];
    case 'duration':
      return [...words(durations(), 'duration'), ...variables(source, true)];
    case 'nothing':
      return [];
  }
}

function selectorStart(): Item[] {
  return [
    {
      kind: 'label',
      label: '{',
      insert: '{$0}',
      doc: t('completion.selector', 'Choose streams by their labels'),
      again: true,
    },
  ];
}

function history(source: Source): Item[] {
  const queries = [...new Set(source.history())].filter(Boolean).slice(0, MAX_HISTORY);
  return queries.map((expr) => ({ kind: 'history', label: expr, insert: escapeSnippet(expr) }));
}

function functions(): Item[] {
  return [...words(aggregations(), 'function'), ...words(rangeFunctions(), 'function')];
}

function words(list: Word[], kind: ItemKind): Item[] {
  return list.map(({ name, doc, insert }) => ({
    kind,
    label: name,
    insert: (insert ?? name).replace(/\$(?!0)/g, '\\$'),
    doc,
    again: Boolean(insert?.includes('$0')),
  }));
}

function variables(source: Source, quoted: boolean): Item[] {
  return source.variables().map((name) => ({
    kind: 'variable',
    label: `$${name}`,
    insert: quoted ? `\\$${name}` : `"\\$${name}"`,
    doc: t('completion.variable', 'Dashboard variable'),
  }));
}

async function labelNames(others: LabelMatcher[], source: Source, suffix = '='): Promise<Item[]> {
  const names = await source.labels.labelNames(source.range(), selectorText(others));
  const used = new Set(others.map(({ label }) => label));
  return names
    .filter((name) => !used.has(name))
    .map((name) => ({
      kind: 'label',
      label: name,
      insert: name + suffix,
      detail: t('completion.label', 'label'),
      again: suffix !== '',
    }));
}

async function labelValues(
  { label, others, quoted, regex }: Extract<Situation, { kind: 'labelValue' }>,
  source: Source
): Promise<Item[]> {
  const values = await source.labels.labelValues(label, source.range(), selectorText(others));
  return values.map((value) => valueItem(value, quoted, regex));
}

function valueItem(value: string, quoted: boolean, regex: boolean): Item {
  const text = escapeString(regex ? escapeRegex(value) : value);
  return { kind: 'value', label: value, insert: escapeSnippet(quoted ? text : `"${text}"`) };
}

const PARSER = /\|\s*(json|logfmt|pattern|regexp|unpack)\b/;

/** Fields come first behind a parser; before one there are few, and a parser is what is wanted most. */
function stage(log: string, found: Item[]): Item[] {
  const known = words([...stages(), unwrap()], 'stage');
  return PARSER.test(log) ? [...found, ...known] : [...known, ...found];
}

async function fields(log: string, source: Source, asFilter: boolean): Promise<Item[]> {
  const parsed = PARSER.test(log);
  const found = await source.labels.detectedFields(log, source.range());
  // The backend tries parsers on its own; what only they find is no field of this query yet.
  const usable = found.filter(({ parsers }) => parsed || !parsers?.length);
  return usable.map(({ label, type }) => ({
    kind: 'field',
    label,
    insert: asFilter ? `${label}${type === 'string' ? '=' : ' > '}` : label,
    detail: type,
    again: asFilter && type === 'string',
  }));
}

function pipeline(inRange: boolean): Item[] {
  const piped = [...stages(), unwrap()].map((word) => ({
    ...word,
    name: `| ${word.name}`,
    insert: `| ${word.insert ?? word.name}`,
  }));
  return [
    ...(inRange ? words([{ name: '[$__auto]', doc: t('completion.range', 'The range') }], 'duration') : []),
    ...words(lineFilters(), 'stage').map((item) => ({ ...item, again: false })),
    ...words(piped, 'stage'),
  ];
}

function selectorText(matchers: LabelMatcher[]): string | undefined {
  const usable = matchers.filter(({ value }) => value !== '' && !value.includes('$'));
  return usable.length ? `{${usable.map(matcherText).join(', ')}}` : undefined;
}

/** Completion texts are snippets, in which these characters have a meaning. */
function escapeSnippet(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}
