import type { ErrorPageDto } from './error-page.dto';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}' +
  'code{background:#eee;padding:.1em .3em}@media(prefers-color-scheme:dark){' +
  'body{background:#111;color:#ddd}code{background:#333}}';

/** A small page without scripts; all text comes from the catalogue. */
export function renderErrorPage(page: ErrorPageDto): string {
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${page.code}</title><style>${STYLE}</style>`,
    `<h1><code>${page.code}</code></h1>`,
    `<p>${escapeHtml(page.title)}</p>`,
    `<p><strong>What to do:</strong> ${withCode(escapeHtml(page.fix))}</p>`,
    `<p>HTTP status ${page.status}. ${retryAdvice(page.retryable)}</p></html>`,
  ].join('\n');
}

function retryAdvice(retryable: boolean): string {
  return retryable
    ? 'The identical call may be repeated later, with back-off.'
    : 'Repeating the identical call does not help.';
}

/** The catalogue quotes code in backticks. */
function withCode(html: string): string {
  return html.replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
