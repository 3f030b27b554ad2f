import { DecodeError } from '../errors.ts';
import type { NewImage } from '../image.ts';
import type { ColourSpace } from './colour.ts';
import { checkPlanes, type YuvFormat, yuvToRgb } from './yuv.ts';

/** What a VideoFrame of a browser and a VideoSample of mediabunny have in common. */
export interface RawFrame {
  readonly format: string | null;
  readonly visibleRect: { readonly width: number; readonly height: number } | null;
  allocationSize(): number;
  copyTo(destination: Uint8Array): Promise<readonly { readonly offset: number; readonly stride: number }[]>;
}

const YUV: readonly string[] = ['I420', 'I422', 'I444', 'NV12'] satisfies YuvFormat[];
/** With an alpha plane behind the others, which is not looked at. */
const WITH_ALPHA: Readonly<Record<string, YuvFormat>> = { I420A: 'I420', I422A: 'I422', I444A: 'I444' };
/** Position of red, green and blue in a pixel of four bytes. */
const RGB: Readonly<Record<string, readonly [number, number, number]>> = {
  RGBA: [0, 1, 2],
  RGBX: [0, 1, 2],
  BGRA: [2, 1, 0],
  BGRX: [2, 1, 0],
};

/**
 * The visible pixels of a decoded frame as RGB, alpha dropped, as they are stored: neither turned nor stretched.
 *
 * @param colours asked only for frames that are not RGB already
 * @throws DecodeError Unsupported for frames of more than 8 bits, and for those that a browser does not let out
 */
export async function framePixels(
  frame: RawFrame,
  colours: () => ColourSpace,
): Promise<NewImage & { readonly channels: 3 }> {
  const { format, visibleRect } = frame;
  const yuv = format === null ? undefined : YUV.includes(format) ? (format as YuvFormat) : WITH_ALPHA[format];
  const rgb = format === null ? undefined : RGB[format];
  if (visibleRect === null || (yuv === undefined && rgb === undefined)) {
    throw new DecodeError(
      'Unsupported',
      `the frames of the video are ${
        format === null ? 'in a format that is not let out' : `in ${format}`
      }; 8-bit ones are read (${[...YUV, ...Object.keys(RGB)].join(', ')}). Encode it as 8-bit 4:2:0.`,
    );
  }
  const { width, height } = visibleRect;
  const bytes = new Uint8Array(frame.allocationSize());
  const layout = await frame.copyTo(bytes);
  if (yuv !== undefined) checkPlanes(yuv, layout, { width, height }, bytes.length);
  if (yuv !== undefined) {
    return { data: yuvToRgb(bytes, yuv, layout, { width, height }, colours()), width, height, channels: 3 };
  }
  const [red, green, blue] = rgb ?? [0, 0, 0];
  const { offset = 0, stride = 4 * width } = layout[0] ?? {};
  const data = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = offset + y * stride; x < width; x++, at += 4) {
      data[to++] = bytes[at + red]!;
      data[to++] = bytes[at + green]!;
      data[to++] = bytes[at + blue]!;
    }
  }
  return { data, width, height, channels: 3 };
}
