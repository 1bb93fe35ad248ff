import { quote } from './quote';
import { LabelMatcher, LogPart, MatcherOp, PlacedMatcher, logParts } from './tree';

/** Where a label comes from decides where it can be filtered: only stream labels stand in the selector. */
export type LabelPlace = 'selector' | 'pipeline';

interface Edit {
  from: number;
  to: number;
  text: string;
}

const OPPOSITE: Record<MatcherOp, MatcherOp> = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' };

export function matcherText({ label, op, value }: LabelMatcher): string {
  return `${label}${op}${quote(value)}`;
}

/** Adds a comparison to every log part of a query. One that is there already is not added again. */
export function addMatcher(expr: string, matcher: LabelMatcher, place: LabelPlace): string {
  return apply(
    expr,
    logParts(expr).flatMap((part) => {
      if (findMatcher(part, matcher)) {
        return [];
      }
      return place === 'selector' ? addToSelector(expr, part, matcher) : append(part, `| ${matcherText(matcher)}`);
    })
  );
}

/** Adds `|= "text"` or `!= "text"` to every log part: early where the stored line is meant, last where a rewritten one is. */
export function addLineFilter(expr: string, op: '|=' | '!=', text: string): string {
  const filter = `${op} ${quote(text)}`;
  return apply(
    expr,
    logParts(expr).flatMap((part) => {
      if (part.rewritesLine) {
        return append(part, filter);
      }
      const leading = part.stages.findIndex(({ line }) => !line);
      const before = leading < 0 ? part.stages : part.stages.slice(0, leading);
      const at = before.length ? before[before.length - 1].to : part.selector.to;
      return [{ from: at, to: at, text: ` ${filter}` }];
    })
  );
}

/** Adds a stage such as `| json` at the end of every log part. */
export function addStage(expr: string, stage: string): string {
  return apply(
    expr,
    logParts(expr).flatMap((part) => append(part, stage))
  );
}

export function hasMatcher(expr: string, matcher: LabelMatcher): boolean {
  return logParts(expr).some((part) => findMatcher(part, matcher));
}

/** Takes a comparison out of every log part that has it. */
export function removeMatcher(expr: string, matcher: LabelMatcher): string {
  return apply(
    expr,
    logParts(expr).flatMap((part) => {
      const inSelector = part.matchers.filter((candidate) => same(candidate, matcher));
      const stages = part.stages.filter((stage) => stage.matcher && same(stage.matcher, matcher));
      return [
        ...(inSelector.length ? [removeFromSelector(expr, part, inSelector)] : []),
        ...stages.map(({ from, to }) => ({ from: skipBlanksBack(expr, from), to, text: '' })),
      ];
    })
  );
}

/**
 * What a click on "filter for" or "filter out" does: present → taken out; the opposite present → replaced; else added.
 */
export function toggleMatcher(expr: string, matcher: LabelMatcher, place: LabelPlace): string {
  if (hasMatcher(expr, matcher)) {
    return removeMatcher(expr, matcher);
  }
  const opposite = { ...matcher, op: OPPOSITE[matcher.op] };
  return addMatcher(hasMatcher(expr, opposite) ? removeMatcher(expr, opposite) : expr, matcher, place);
}

function findMatcher(part: LogPart, matcher: LabelMatcher): PlacedMatcher | undefined {
  return [...part.matchers, ...part.stages.flatMap((stage) => stage.matcher ?? [])].find((one) => same(one, matcher));
}

function same(a: LabelMatcher, b: LabelMatcher): boolean {
  return a.label === b.label && a.op === b.op && a.value === b.value;
}

function addToSelector(expr: string, { selector, matchers }: LogPart, matcher: LabelMatcher): Edit[] {
  const text = matcherText(matcher);
  if (!matchers.length) {
    return [{ ...selector, text: `{${text}}` }];
  }
  const at = matchers[matchers.length - 1].to;
  return [{ from: at, to: at, text: `, ${text}` }];
}

function removeFromSelector(expr: string, { selector, matchers }: LogPart, removed: PlacedMatcher[]): Edit {
  const kept = matchers.filter((matcher) => !removed.includes(matcher));
  const texts = kept.map(({ from, to }) => expr.slice(from, to));
  // A selector may not be empty: the widest one that still names the label takes its place.
  return { ...selector, text: `{${texts.length ? texts.join(', ') : `${removed[0].label}=~".+"`}}` };
}

function append({ stages, selector }: LogPart, text: string): Edit[] {
  const at = stages.length ? stages[stages.length - 1].to : selector.to;
  return [{ from: at, to: at, text: ` ${text}` }];
}

function skipBlanksBack(expr: string, at: number): number {
  while (at > 0 && /\s/.test(expr[at - 1])) {
    at--;
  }
  return at;
}

function apply(expr: string, edits: Edit[]): string {
  return [...edits]
    .sort((a, b) => b.from - a.from)
    .reduce((text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to), expr);
}
