import type { RandomStream } from '../random.ts';

/** A smooth random pattern that closes on the torus: a sum of waves with whole numbers of periods. */
export interface Texture {
  /** The canvas [side, side] shifted by (y, x) pixels, values 0 ... `contrast`. */
  draw(canvas: Float32Array, side: number, y: number, x: number): void;
}

interface Wave {
  readonly down: number;
  readonly across: number;
  readonly phase: number;
}

const WAVES = 6;
const MAX_PERIODS = 4;

/**
 * @param contrast brightest value, as a part of full ink
 * @param random the pattern's waves and phases: its phases are uniform, so its place carries no information
 */
export function randomTexture(contrast: number, random: RandomStream): Texture {
  const waves: Wave[] = Array.from({ length: WAVES }, () => ({
    down: random.below(2 * MAX_PERIODS + 1) - MAX_PERIODS,
    across: 1 + random.below(MAX_PERIODS),
    phase: random.uniform(0, 2 * Math.PI),
  }));
  const height = contrast / 2 / WAVES;
  return {
    draw(canvas, side, y, x) {
      canvas.fill(contrast / 2);
      const turn = (2 * Math.PI) / side;
      for (const { down, across, phase } of waves) {
        // cos(a + b) by its parts: a row and a column of cosines instead of a canvas of them.
        const rows = Array.from({ length: side }, (_, row) => turn * down * (row - y) + phase);
        const columns = Array.from({ length: side }, (_, column) => turn * across * (column - x));
        const [cosines, sines] = [columns.map(Math.cos), columns.map(Math.sin)];
        rows.forEach((angle, row) => {
          const [cosine, sine] = [Math.cos(angle) * height, Math.sin(angle) * height];
          for (let column = 0; column < side; column++) {
            canvas[row * side + column]! += cosine * cosines[column]! - sine * sines[column]!;
          }
        });
      }
    },
  };
}
