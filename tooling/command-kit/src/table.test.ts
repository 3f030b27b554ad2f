import { describe, expect, it } from 'vitest';
import { textTable } from './table.ts';

describe('textTable', () => {
  it('aligns columns on their longest cell', () => {
    const text = textTable(
      ['', 'StructViT', 'twin'],
      [
        ['accuracy', '93.1 %', '71.0 %'],
        ['mean ± sd', '92 %'],
      ],
    );
    expect(text).toBe(
      [
        '           StructViT    twin',
        '─────────  ─────────  ──────',
        'accuracy      93.1 %  71.0 %',
        'mean ± sd       92 %',
      ].join('\n'),
    );
  });

  it('takes alignments', () => {
    expect(textTable(['a', 'bb'], [['1', '2']], { align: ['right', 'left'] })).toBe('a  bb\n─  ──\n1  2');
  });
});
