import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstLines, textWidth, wrapText } from '../../../src/core/chart/text-fit.ts';

/** At 100 px in DejaVu Sans, as Chromium measures it: regular and bold. */
const measured: readonly (readonly [text: string, regular: number, bold: number])[] = [
  ['draftCanBeRevised', 954, 1079],
  ['rounds.extended', 846, 960],
  ['The critique is not satisfied. Accept the last draft, allow more rounds.', 3459, 3941],
  ['mmmmwwwwMMMMWWWW', 1457, 1626],
  ['iiiiljjj|.,:;', 387, 467],
  ['0123456789', 636, 696],
  ['HTTP_GATEWAY_TIMEOUT', 1286, 1438],
  ['review.approved [isReady]', 1326, 1511],
  ['Größe & Maß', 654, 736],
  ['after 1500 ms', 704, 788],
  ['x', 59, 65],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZ', 1747, 1963],
  ['abcdefghijklmnopqrstuvwxyz', 1465, 1654],
  ['~!@#$%^&*()_+{}[]<>?/=-', 1469, 1553],
];

describe('the width of a text', () => {
  test.each(measured)('%s fits in what is left for it, without much to spare', (text, ...real) => {
    for (const [index, isBold] of [false, true].entries()) {
      const width = textWidth(text, { size: 100, isBold });
      expect(width).toBeGreaterThanOrEqual(real[index]!);
      expect(width).toBeLessThan(real[index]! * 1.35);
    }
  });

  test('is two letters for a character of Chinese, none for an accent of its own', () => {
    const font = { size: 100 };
    expect(textWidth('名', font)).toBeGreaterThanOrEqual(100);
    expect(textWidth('🎉', font)).toBeGreaterThanOrEqual(100);
    expect(textWidth('e\u0301', font)).toBe(textWidth('e', font));
  });
});

describe('a text in lines', () => {
  const font = { size: 12 };

  test('loses nothing but spaces, and no line is too wide', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const lines = wrapText(text, 120, font);
        expect(lines.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
        for (const line of lines) expect(textWidth(line, font)).toBeLessThanOrEqual(120);
      }),
    );
  });

  test('is broken between words, a long name where one of its words ends', () => {
    expect(wrapText('accept the last draft', 90, font)).toEqual(['accept the', 'last draft']);
    expect(wrapText('review.approvedByEverybody', 120, font)).toEqual([
      'review.approved',
      'ByEverybody',
    ]);
  });

  test('says where there is more than is shown', () => {
    expect(firstLines(['a', 'b'], 2)).toEqual(['a', 'b']);
    expect(firstLines(['a', 'b.', 'c'], 2)).toEqual(['a', 'b …']);
  });
});
