/** A table; cells may hold anything but line breaks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A page that says where it comes from. */
export function page(title: string, source: string, parts: readonly string[]): string {
  const origin = `Generated from \`${source}\` by \`npm run generate\`; edit that file.`;
  return `${[`# ${title}`, origin, ...parts].join('\n\n')}\n`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
