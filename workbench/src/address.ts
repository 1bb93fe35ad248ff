import { AdHocVariableFilter } from '@grafana/data';

const params = new URLSearchParams(location.search);

/** Dashboard variables, as a dashboard's address has them: `var-app=x&var-app=y`. */
export const variables = new Map<string, string | string[]>();
for (const name of new Set(params.keys())) {
  if (name.startsWith('var-')) {
    const values = params.getAll(name);
    variables.set(name.slice('var-'.length), values.length > 1 ? values : values[0]);
  }
}

/** Ad-hoc filters of a dashboard: `filter=app|=|x`. */
export const filters: AdHocVariableFilter[] = params.getAll('filter').map((text) => {
  const [key, operator, ...value] = text.split('|');
  return { key, operator, value: value.join('|') };
});

/** Id of the line that the address leads to. */
export const linkedLine = params.get('line') ?? undefined;

/** An address that leads to a line: the query, a range around it, and which line it is. */
export function lineAddress(expr: string, id: string, timeMs: number): string {
  const around = { from: String(timeMs - 60_000), to: String(timeMs + 60_000) };
  return `${location.origin}${location.pathname}?${new URLSearchParams({ expr, ...around, line: id })}`;
}
