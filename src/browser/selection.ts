import { matcherText } from '../logql/edit';
import { escapeRegex } from '../logql/quote';

/** Values that are chosen, by label. A label with none is looked at but narrows nothing. */
export type Selection = Record<string, string[]>;

/** The selector of what is chosen; of all but one label for the values that may still be chosen for that one. */
export function selectionSelector(selection: Selection, except?: string): string {
  const matchers = Object.entries(selection)
    .filter(([label, values]) => label !== except && values.length > 0)
    .map(([label, values]) =>
      values.length === 1
        ? matcherText({ label, op: '=', value: values[0] })
        : matcherText({ label, op: '=~', value: values.map(escapeRegex).join('|') })
    );
  return `{${matchers.join(', ')}}`;
}

export function toggleValue(selection: Selection, label: string, value: string): Selection {
  const values = selection[label] ?? [];
  return {
    ...selection,
    [label]: values.includes(value) ? values.filter((one) => one !== value) : [...values, value],
  };
}

export function toggleLabel(selection: Selection, label: string): Selection {
  if (label in selection) {
    const { [label]: _, ...rest } = selection;
    return rest;
  }
  return { ...selection, [label]: [] };
}

/** The query with the chosen selector in place of its first one; a query without one becomes it. */
export function replaceSelector(expr: string, selector: string, first?: { from: number; to: number }): string {
  return first ? expr.slice(0, first.from) + selector + expr.slice(first.to) : selector;
}
