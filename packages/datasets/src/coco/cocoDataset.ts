import type { PixelImage } from '@saccade/media';
import { createDataset } from '../createDataset.ts';
import type { Dataset, Sample } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { type ImageDatasetOptions, readImage } from '../images/imageDataset.ts';
import type { CocoEntry, CocoIndex } from './indexCoco.ts';
import type { CocoObject } from './objects.ts';
import type { Mask } from './rle.ts';

/** An image with its objects. */
export type CocoSample = CocoEntry &
  Sample & {
    /** RGB */
    readonly image: PixelImage;
    readonly objects: readonly CocoObject[];
    /** of the objects, in their order; undefined unless asked for */
    readonly masks: readonly Mask[] | undefined;
  };

/** Options of {@link cocoDataset}. */
export interface CocoDatasetOptions extends ImageDatasetOptions {
  /** whether the masks of the objects are made; default false */
  readonly masks?: boolean | undefined;
}

/**
 * Images with their objects by number.
 *
 * @throws DatasetError `option`; reading throws as `Dataset.get` says, `sample` also for an image of another size than the annotation
 *   says (its boxes would be wrong), `mask`
 * @example
 * const files = await nodeFiles('/data/coco');
 * const index = await indexCoco(files, { annotations: 'annotations/instances_val2017.json', images: 'val2017' });
 * const dataset = cocoDataset(index, { files, decode: decodeImage, masks: true });
 */
export function cocoDataset(index: CocoIndex, options: CocoDatasetOptions): Dataset<CocoSample> {
  return createDataset(
    index,
    async (info, number, { signal }) => {
      const image = await readImage(info.path, options, 3, { signal });
      if (image.width !== info.width || image.height !== info.height) {
        throw new DatasetError({
          code: 'sample',
          argument: info.path,
          expected: `an image of ${info.width} x ${info.height} pixels, as the annotation says`,
          actual: `${image.width} x ${image.height}`,
        });
      }
      const masks = options.masks ? await index.masks(number, { signal }) : undefined;
      return { ...info, index: number, image, objects: index.objects(number), masks };
    },
    options,
  );
}
