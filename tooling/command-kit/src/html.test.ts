import { describe, expect, it } from 'vitest';
import { Html, html } from './html.ts';

describe('html', () => {
  it('escapes strings for text and attributes', () => {
    const nasty = `"><script>alert('x') & more</script>`;
    expect(html`<p title="${nasty}">${nasty}</p>`.text).not.toMatch(/<script|title=""/);
    expect(html`${`<&>"'`}`.text).toBe('&lt;&amp;&gt;&quot;&#39;');
  });

  it('joins lists, inserts HTML as it is, and leaves out what is absent', () => {
    const list = ['<', html`<b>${1}</b>`, new Html('<br>')];
    expect(html`${list}${false}${null}${undefined}${0}`.text).toBe('&lt;<b>1</b><br>0');
  });
});
