import React, { useEffect, useRef, useState } from 'react';
import { dateTimeFormat } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { css, cx } from '@emotion/css';

import { LEVEL_COLORS, Row } from './frames';

interface Props {
  rows: Row[];
  selected?: Row;
  onSelect: (row: Row) => void;
  /** Live: keeps the newest line, which is the last, in view. */
  follow?: boolean;
  height?: number;
}

const ROW_HEIGHT = 22;
const OVERSCAN = 20;

/** Lines of equal height, of which only those in view are in the document. */
export function LogList({ rows, selected, onSelect, follow, height = 480 }: Props) {
  const theme = useTheme2();
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(0);
  const first = Math.max(0, Math.floor(scroll / ROW_HEIGHT) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((scroll + height) / ROW_HEIGHT) + OVERSCAN);

  // What is chosen from outside comes into view; what is clicked is there already.
  const at = selected ? rows.findIndex(({ id }) => id === selected.id) : -1;
  useEffect(() => {
    const top = at * ROW_HEIGHT;
    if (box.current && at >= 0 && (top < box.current.scrollTop || top > box.current.scrollTop + height - ROW_HEIGHT)) {
      box.current.scrollTop = top - height / 2;
    }
  }, [at, height]);

  useEffect(() => {
    if (follow && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [follow, rows]);

  return (
    <div
      ref={box}
      className={styles.box}
      style={{ height, borderColor: theme.colors.border.weak, background: theme.colors.background.primary }}
      data-testid="log-list"
      data-rows={rows.length}
      onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      tabIndex={0}
      role="listbox"
      aria-label="Log lines"
    >
      <div style={{ height: rows.length * ROW_HEIGHT, position: 'relative' }}>
        {rows.slice(first, last).map((row, i) => (
          <div
            key={`${row.id}-${first + i}`}
            role="option"
            aria-selected={row.id === selected?.id}
            tabIndex={-1}
            className={cx(styles.row, row.id === selected?.id && styles.selected)}
            style={{ top: (first + i) * ROW_HEIGHT, borderLeftColor: LEVEL_COLORS[row.level] }}
            onClick={() => onSelect(row)}
            onKeyDown={(event) => event.key === 'Enter' && onSelect(row)}
            data-testid="log-row"
          >
            <span style={{ color: theme.colors.text.secondary }}>
              {dateTimeFormat(row.time, { format: 'YYYY-MM-DD HH:mm:ss.SSS' })}
            </span>
            <span className={styles.level} style={{ color: LEVEL_COLORS[row.level] }}>
              {row.level}
            </span>
            <span>{row.body}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

const styles = {
  box: css({
    overflow: 'auto',
    border: '1px solid',
    fontFamily: 'Roboto Mono, monospace',
    fontSize: 12,
    flex: 1,
    minWidth: 0,
  }),
  row: css({
    position: 'absolute',
    left: 0,
    minWidth: '100%',
    height: ROW_HEIGHT,
    lineHeight: `${ROW_HEIGHT}px`,
    whiteSpace: 'pre',
    display: 'flex',
    gap: 12,
    padding: '0 8px',
    borderLeft: '3px solid',
    cursor: 'pointer',
    '&:hover': { background: 'rgba(128,128,128,0.12)' },
  }),
  selected: css({ background: 'rgba(110,159,255,0.18)' }),
  level: css({ width: 60, flexShrink: 0 }),
};
