import { ScopedVars } from '@grafana/data';

import { escapeRegex, escapeString } from './quote';
import { TextPart, splitStrings } from './variables';

/** What the template service offers: replaces variables, writing each value as `format` says. */
export type Replace = (text: string, scopedVars?: ScopedVars, format?: (value: unknown) => string) => string;

/**
 * Puts the values of variables into a query. How a value is written depends on where it stands: inside a string it is
 * escaped for that kind of string, inside a regular expression several values become alternatives, and outside of
 * strings (a whole selector, a duration, a number) it is left as it is.
 */
export function interpolate(expr: string, replace: Replace, scopedVars?: ScopedVars): string {
  return splitStrings(expr)
    .map((part) => (part.text.match(/\$|\[\[/) ? replace(part.text, scopedVars, formatFor(part)) : part.text))
    .join('');
}

function formatFor(part: TextPart): (value: unknown) => string {
  return (value) => {
    const values = (Array.isArray(value) ? value : [value]).map(String);
    if (!part.quote) {
      return values.join(',');
    }
    // "All" with a custom value and single values typed as regex stay what their author wrote.
    const isList = Array.isArray(value);
    const text = part.regex && isList ? alternatives(values) : values.join(',');
    return part.quote === '"' ? escapeString(text) : text.replace(/`/g, '');
  };
}

function alternatives(values: string[]): string {
  const escaped = values.map(escapeRegex);
  return escaped.length === 1 ? escaped[0] : `(${escaped.join('|')})`;
}
