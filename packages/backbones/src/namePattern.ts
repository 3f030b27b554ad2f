/** Whether a name fits a pattern, in which `*` stands for anything. */
export function namePattern(pattern: string): (name: string) => boolean {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const matcher = new RegExp(`^${escaped.join('.*')}$`);
  return (name) => matcher.test(name);
}
