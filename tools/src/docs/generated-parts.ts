const PART = /^<!-- generated: (\S+) -->\n[^]*?^<!-- \/generated -->$/gm;
const MARK = /^<!-- \/?generated\b.*$/gm;
const MARKS_PER_PART = 2;

/**
 * A page of which parts are made from the program: between `<!-- generated: name -->` and
 * `<!-- /generated -->` stands what `parts` holds for the name. The rest stays as people wrote it.
 * @throws Error when a mark has no partner, a name is unknown, or a part is shown nowhere.
 */
export function withGeneratedParts(text: string, parts: ReadonlyMap<string, string>): string {
  const shown = new Set<string>();
  let found = 0;
  const renewed = text.replace(PART, (_, name: string) => {
    const part = parts.get(name);
    if (part === undefined) throw new Error(`nothing is generated under the name ${name}`);
    found += 1;
    shown.add(name);
    return [`<!-- generated: ${name} -->`, part, '<!-- /generated -->'].join('\n\n');
  });
  if ((text.match(MARK)?.length ?? 0) !== found * MARKS_PER_PART) {
    throw new Error('a mark has no partner: write <!-- generated: name --> … <!-- /generated -->');
  }
  const missing = [...parts.keys()].filter((name) => !shown.has(name));
  if (missing.length > 0) throw new Error(`the page shows nowhere: ${missing.join(', ')}`);
  return renewed;
}
