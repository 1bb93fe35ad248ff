import { useEffect, useState } from 'react';
import { TimeRange } from '@grafana/data';

import { formatBytes, formatCount } from '../../config/format';
import { t } from '../../i18n';
import { LabelClient } from '../../labels/client';
import { selectorsOf } from '../../logql/kind';

const ASK_AFTER_MS = 600;

/** How much the streams of a query hold over the range: told before it runs. Undefined while nothing is known. */
export function useEstimate(labels: LabelClient | undefined, expr: string, range?: TimeRange): string | undefined {
  const [estimate, setEstimate] = useState<{ of: string; text: string }>();
  // Rounded, so that a range that moves with the clock does not ask again and again.
  const [from, to] = [minute(range?.from.valueOf()), minute(range?.to.valueOf())];
  const wanted = `${expr}\n${from}\n${to}`;

  useEffect(() => {
    const selectors = [...new Set(selectorsOf(expr).map((span) => expr.slice(span.from, span.to)))];
    const known = selectors.filter((selector) => !/\$|^\{\s*\}$/.test(selector));
    if (!labels || !range || !known.length) {
      return;
    }
    let gone = false;
    const timer = setTimeout(async () => {
      try {
        const all = await Promise.all(known.map((selector) => labels.indexStats(selector, range)));
        const sum = (key: 'bytes' | 'entries' | 'streams') =>
          all.reduce((total, stats) => total + (stats[key] ?? 0), 0);
        if (!gone) {
          setEstimate({
            of: wanted,
            text: t('editor.estimate', 'Up to {{bytes}}: {{lines}} lines of {{streams}} streams', {
              bytes: formatBytes(sum('bytes')),
              lines: formatCount(sum('entries')),
              streams: formatCount(sum('streams')),
            }),
          });
        }
      } catch {
        // A query that is not valid yet has no estimate.
      }
    }, ASK_AFTER_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
    // The range itself is a new object at each render.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [labels, wanted]);

  return estimate?.of === wanted ? estimate.text : undefined;
}

function minute(time: number | undefined): number {
  return Math.floor((time ?? 0) / 60_000);
}
