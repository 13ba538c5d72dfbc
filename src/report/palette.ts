/**
 * The colours of report pages, each with a value for light and one for dark pages.
 *
 * Charts are drawn with the light values; `svg-chart.ts` then replaces them by CSS variables, so one drawing serves both schemes.
 * Invariant: no two names share a light value (report.test.ts).
 */

export interface Shade {
  readonly light: string;
  readonly dark: string;
}

export const PALETTE = {
  paper: { light: '#faf9f6', dark: '#111419' },
  panel: { light: '#ffffff', dark: '#181c23' },
  ink: { light: '#1b2330', dark: '#e6e9ee' },
  muted: { light: '#5a6473', dark: '#9ba5b4' },
  axis: { light: '#b6bdc8', dark: '#4c5563' },
  rule: { light: '#e4e6ea', dark: '#2a303a' },
  good: { light: '#1a7f4b', dark: '#5fd08f' },
  warning: { light: '#b4530a', dark: '#f5a65b' },
  serial: { light: '#79828f', dark: '#9aa3b0' },
  serialRecording: { light: '#434c5a', dark: '#ccd2da' },
  optimistic: { light: '#2c6bd8', dark: '#6fa5ff' },
  deterministic: { light: '#0e8a70', dark: '#3fd0aa' },
  deterministicList: { light: '#6c9417', dark: '#a9d04e' },
  sharded: { light: '#d8790c', dark: '#f5a748' },
  shardedList: { light: '#8f5a2b', dark: '#cf9c6c' },
  auto: { light: '#8b4ad2', dark: '#bd90ff' },
  first: { light: '#3b78dc', dark: '#639af5' },
  again: { light: '#cf3a30', dark: '#ff7c70' },
  liquidation: { light: '#3a6fb0', dark: '#74a9ea' },
  backstop: { light: '#c9951a', dark: '#ecc356' },
  deleverage: { light: '#b8322a', dark: '#ff8173' },
  wave: { light: '#f0ebdf', dark: '#262a31' },
} as const satisfies Record<string, Shade>;

export type ColourName = keyof typeof PALETTE;

/** The value that charts are drawn with. */
export function colour(name: ColourName): string {
  return PALETTE[name].light;
}

/** One colour for a model wherever it appears; `model` may carry a suffix that says where its sets came from. */
export function modelColour(model: string): ColourName {
  switch (model) {
    case 'serial':
      return 'serial';
    case 'serial, recording':
      return 'serialRecording';
    case 'optimistic':
    case 'optimistic, recording':
      return 'optimistic';
    case 'deterministic':
      return 'deterministic';
    case 'deterministic, list':
      return 'deterministicList';
    case 'sharded':
      return 'sharded';
    case 'sharded, list':
      return 'shardedList';
    case 'auto':
    case 'auto, list':
      return 'auto';
    default:
      return 'muted';
  }
}

export function paletteVariables(scheme: keyof Shade): string {
  return Object.entries(PALETTE)
    .map(([name, shade]) => `--${name}:${shade[scheme]}`)
    .join(';');
}
