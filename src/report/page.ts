/**
 * The frame of a report: one HTML file with its style inside, readable in light and dark, on paper and on a phone.
 *
 * Nothing is loaded: a content security policy forbids it even if a text tried.
 */
import { paletteVariables } from './palette.ts';

/** Facts about the machine that a measurement ran on. */
export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
}

export interface PageHeader {
  readonly kicker: string;
  readonly title: string;
  readonly generatedAt?: string;
  readonly command: string;
  readonly environment: Environment;
}

export interface KeyFigure {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
  readonly tone?: 'good' | 'warning';
}

export interface Column {
  readonly title: string;
  readonly numeric?: boolean;
}

export function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&#39;');
}

export function renderPage(header: PageHeader, sections: readonly string[]): string {
  const { cpu, cores, node } = header.environment;
  const facts = [
    ...(header.generatedAt === undefined ? [] : [formatDate(header.generatedAt)]),
    cpu,
    `${cores} ${cores === 1 ? 'core' : 'cores'}`,
    `Node.js ${node.replace(/^v/, '')}`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(header.title)} – Heddle</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kicker">Heddle · ${escapeHtml(header.kicker)}</p>
<h1>${escapeHtml(header.title)}</h1>
<p class="facts">${facts.map((fact) => `<span>${escapeHtml(fact)}</span>`).join('')}</p>
<p class="command"><code>${escapeHtml(header.command)}</code></p>
</header>
${sections.filter((section) => section !== '').join('\n')}
</main>
</body>
</html>
`;
}

/** `caption` is plain text; `content` is HTML. */
export function section(title: string, caption: string, content: string): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n${caption === '' ? '' : `<p class="caption">${escapeHtml(caption)}</p>\n`}${content}\n</section>`;
}

export function figure(title: string, svg: string, caption = ''): string {
  const head = title === '' ? '' : `<figcaption>${escapeHtml(title)}</figcaption>`;
  const tail = caption === '' ? '' : `<p class="note">${escapeHtml(caption)}</p>`;
  return `<figure>${head}<div class="scroll">${svg}</div>${tail}</figure>`;
}

/** Figures side by side where the page is wide enough. */
export function figures(items: readonly string[]): string {
  return `<div class="figures">${items.join('\n')}</div>`;
}

export function keyFigures(items: readonly KeyFigure[]): string {
  const entries = items.map(({ label, value, note, tone }) => {
    const small = note === undefined ? '' : `<dd class="small">${escapeHtml(note)}</dd>`;
    return `<div${tone === undefined ? '' : ` class="${tone}"`}><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>${small}</div>`;
  });
  return `<dl class="key-figures">${entries.join('')}</dl>`;
}

export interface LegendEntry {
  readonly label: string;
  /** A CSS colour. */
  readonly colour: string;
  readonly mark: 'box' | 'solid' | 'dashed' | 'dotted';
}

export function legend(entries: readonly LegendEntry[]): string {
  const items = entries.map(({ label, colour, mark }) => {
    const dash = mark === 'dashed' ? ' stroke-dasharray="5 3"' : mark === 'dotted' ? ' stroke-dasharray="1.5 3"' : '';
    const shape =
      mark === 'box'
        ? `<rect x="6" y="1" width="12" height="10" rx="2" fill="${colour}"/>`
        : `<path d="M1 6H23" stroke="${colour}" stroke-width="2.5"${dash}/>`;
    return `<li><svg viewBox="0 0 24 12" width="24" height="12" aria-hidden="true">${shape}</svg>${escapeHtml(label)}</li>`;
  });
  return `<ul class="legend">${items.join('')}</ul>`;
}

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const kind = (index: number): string => (columns[index]?.numeric === true ? ' class="number"' : '');
  const head = columns.map((column, index) => `<th scope="col"${kind(index)}>${escapeHtml(column.title)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell, index) => `<td${kind(index)}>${escapeHtml(cell)}</td>`).join('')}</tr>`).join('\n');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export function details(title: string, content: string): string {
  return `<details><summary>${escapeHtml(title)}</summary>${content}</details>`;
}

export function notice(text: string): string {
  return `<p class="notice" role="note">${escapeHtml(text)}</p>`;
}

function formatDate(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const STYLE = `
:root{color-scheme:light dark;${paletteVariables('light')}}
@media (prefers-color-scheme:dark){:root{${paletteVariables('dark')}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
font-feature-settings:"kern","liga";-webkit-font-smoothing:antialiased}
main{max-width:1120px;margin:0 auto;padding:56px 28px 96px}
header{border-bottom:1px solid var(--rule);padding-bottom:24px;margin-bottom:32px}
.kicker{margin:0 0 6px;color:var(--muted);font-size:13px;letter-spacing:.08em;text-transform:uppercase;font-weight:600}
h1{margin:0;font-size:clamp(28px,4vw,40px);line-height:1.15;letter-spacing:-.02em;font-weight:700;text-wrap:balance}
h2{margin:0 0 4px;font-size:22px;line-height:1.3;letter-spacing:-.01em;font-weight:650}
h3{margin:28px 0 8px;font-size:16px;font-weight:650}
.facts{margin:12px 0 0;color:var(--muted);font-size:14.5px}
.facts span+span::before{content:"·";margin:0 9px;color:var(--axis)}
.command{margin:14px 0 0;overflow-x:auto}
code{font:13px/1.6 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.command code{display:inline-block;white-space:pre;padding:7px 12px;border:1px solid var(--rule);border-radius:7px;background:var(--panel)}
.command code::before{content:"$ ";color:var(--muted)}
section{margin:52px 0 0}
.caption{max-width:74ch;margin:0 0 18px;color:var(--muted);font-size:15.5px;text-wrap:pretty}
.note{max-width:80ch;margin:8px 0 0;color:var(--muted);font-size:13.5px}
.key-figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:1px;margin:0;border:1px solid var(--rule);border-radius:12px;
background:var(--rule);overflow:hidden}
.key-figures>div{padding:16px 20px;background:var(--panel);min-width:0}
.key-figures dt{color:var(--muted);font-size:13px}
.key-figures dd{margin:2px 0 0;font-size:25px;line-height:1.25;font-weight:650;letter-spacing:-.015em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.key-figures dd.small{font-size:13px;font-weight:400;letter-spacing:0;color:var(--muted)}
.key-figures .good dd:not(.small){color:var(--good)}
.key-figures .warning dd:not(.small){color:var(--warning)}
figure{margin:0;padding:18px 20px 14px;border:1px solid var(--rule);border-radius:12px;background:var(--panel);min-width:0}
figure+figure,.legend+figure,.figures+.figures{margin-top:18px}
figcaption{margin:0 0 6px;font-size:15px;font-weight:600}
figure .scroll>svg{display:block;width:100%;height:auto}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,470px),1fr));gap:18px}
.figures figure{margin:0}
.scroll{overflow-x:auto}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:0 0 14px;padding:0;list-style:none;font-size:14px;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:7px}
table{width:100%;border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:7px 14px 7px 0;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
th{color:var(--muted);font-weight:600;font-size:13px;white-space:nowrap;vertical-align:bottom}
td{overflow-wrap:anywhere}
.number{text-align:right;white-space:nowrap}
.mono td:last-child{font:13px/1.6 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
details{margin-top:16px}
summary{cursor:pointer;color:var(--muted);font-size:14.5px;padding:4px 0}
summary:hover{color:var(--ink)}
.notice{margin:0 0 20px;padding:12px 16px;border:1px solid var(--warning);border-left-width:5px;border-radius:8px;background:var(--panel)}
@media (max-width:640px){main{padding:32px 16px 64px}figure{padding:14px 12px 10px}.scroll>svg{min-width:520px}}
@media print{main{max-width:none;padding:0}figure,.key-figures{break-inside:avoid}details{display:none}}
`;
