import { crop, type NewImage, normalize, type PixelImage, resize, testCrops } from '@saccade/media';
import type { Checks } from '../Checks.ts';
import { differingValues, relativeError } from '../compare.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';

/** Every frame of the reference is resized to this, whatever its shape. */
export const FRAME = { width: 320, height: 240, filter: 'bilinear' } as const;

/** The way of a frame from its bytes to normalised values, and a multi-scale crop. */
export const pixels: Handler = {
  family: 'aia',
  kind: /^PIL\/torchvision pixel pipeline$/,
  async replay(golden, checks) {
    const frame = frameOf(golden);
    sampled(golden, checks, 'resized240x320', frame);
    for (const size of [224, 240]) centred(golden, checks, `center${size}`, frame, size);
    // data_indices.json of the same folder says where: 180 x 210 at (70, 7).
    const cut = crop(frame, { width: 180, height: 210, left: 70, top: 7 });
    sampled(golden, checks, 'multiscale', resize(cut, { width: 224, height: 224, filter: 'bilinear' }));
  },
};

/** The frame as the reference's pipeline begins with it. */
export function frameOf(golden: Golden): NewImage {
  const { shape, data } = golden.get('frame_u8');
  const [height, width, channels] = shape as [number, number, number];
  return resize({ data: data as Uint8Array, width, height, channels }, FRAME);
}

/** Bytes at some places of [H, W, C]. */
function sampled(golden: Golden, checks: Checks, name: string, image: NewImage): void {
  const places = golden.get(`${name}.flat_index_hwc`).data as Int32Array;
  const expected = golden.get(`${name}.values_u8`);
  const actual = { shape: expected.shape, data: Uint8Array.from(places, (place) => image.data[place] as number) };
  checks.add('exact', `${name}.values_u8`, differingValues(actual, expected));
}

/** Normalised values at some places of [C, H, W]. */
function centred(golden: Golden, checks: Checks, name: string, frame: PixelImage, size: number): void {
  const [box] = testCrops(1, frame, size);
  const { data } = normalize()(crop(frame, box as NonNullable<typeof box>));
  const places = golden.get(`${name}.flat_index`).data as Int32Array;
  const expected = golden.get(`${name}.values`);
  const values = Float32Array.from(places, (place) => {
    const [channel, position] = [Math.floor(place / size ** 2), place % size ** 2];
    return data[position * 3 + channel] as number;
  });
  checks.add('forward', `${name}.values`, relativeError({ shape: expected.shape, data: values }, expected));
}
