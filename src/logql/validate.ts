import { parser } from '@grafana/lezer-logql';

import { t } from '../i18n';
import { maskVariables } from './variables';

export interface Problem {
  from: number;
  to: number;
  message: string;
}

/** The first place at which the text is no LogQL; undefined for a query that the grammar accepts, and for no text. */
export function firstProblem(expr: string): Problem | undefined {
  if (!expr.trim()) {
    return undefined;
  }
  let problem: Problem | undefined;
  parser.parse(maskVariables(expr)).iterate({
    enter: (node) => {
      if (node.type.isError && !problem) {
        problem = describe(expr, node.from, node.to);
      }
      return !problem;
    },
  });
  return problem;
}

function describe(expr: string, from: number, to: number): Problem {
  if (from === to || !expr.slice(from, to).trim()) {
    const rest = expr.slice(to).trim();
    return {
      from: Math.max(0, from - 1),
      to: Math.max(to, 1),
      message: rest
        ? t('syntax.missing', 'Something is missing before “{{text}}”', { text: shorten(rest) })
        : t('syntax.ends', 'The query ends too early'),
    };
  }
  return {
    from,
    to,
    message: t('syntax.unexpected', 'Unexpected “{{text}}”', { text: shorten(expr.slice(from, to)) }),
  };
}

function shorten(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}
