import { t } from '../i18n';
import { firstProblem } from '../logql/validate';
import { logParts } from '../logql/tree';

const DURATION = /^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/;

/** What is wrong with a retention; undefined for none and for one that the backend reads. */
export function retentionProblem(text = ''): string | undefined {
  return DURATION.test(text.trim()) ? undefined : t('validate.duration', 'Write a duration such as 30d, 12w or 1y');
}

export function tenantProblem(text = ''): string | undefined {
  if (text && !/^[A-Za-z0-9!\-_.*'()]{1,120}$/.test(text)) {
    return t('validate.tenant', "Use letters, digits and ! - _ . * ' ( ) only");
  }
  return text === '.' || text === '..' ? t('validate.reserved', 'This name is reserved') : undefined;
}

export function regexProblem(text: string): string | undefined {
  try {
    new RegExp(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : t('validate.regex', 'Not a regular expression');
  }
}

/** A selector that confines queries holds matchers and nothing else. */
export function selectorProblem(text: string): string | undefined {
  if (!text.trim()) {
    return undefined;
  }
  const [part, ...others] = logParts(text);
  const bare = part && !others.length && !part.stages.length && part.matchers.length > 0;
  return bare && !firstProblem(text) ? undefined : t('validate.selector', 'Write a stream selector such as {team="a"}');
}
