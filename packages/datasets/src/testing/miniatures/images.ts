import { gzipSync } from 'node:zlib';
import { fixture } from '../fixtures.ts';
import type { Installation } from '../install.ts';

const DEVKIT = 'ILSVRC2012_devkit_t12/data';

/**
 * ImageNet with four classes, the first four of the devkit. Their ids 1 2 3 4 are the labels 3 1 2 0: neither order can be taken
 * for the other.
 */
export async function imageNet(): Promise<Installation> {
  const [fox, setter, husky, terrier] = await Promise.all(
    ['fox', 'setter', 'husky', 'terrier'].map((name) => fixture(`${name}.jpg`)),
  );
  const images = { fox, setter, husky, terrier } as Record<'fox' | 'setter' | 'husky' | 'terrier', Uint8Array>;
  return {
    'train/n02119789/n02119789_12.JPEG': images.fox,
    'train/n02119789/n02119789_2.JPEG': images.fox,
    'train/n02100735/n02100735_1.JPEG': images.setter,
    'train/n02110185/n02110185_7.JPEG': images.husky,
    'train/n02096294/n02096294_3.JPEG': images.terrier,
    'val/ILSVRC2012_val_00000001.JPEG': images.fox,
    'val/ILSVRC2012_val_00000002.JPEG': images.terrier,
    'val/ILSVRC2012_val_00000003.JPEG': images.setter,
    'val/ILSVRC2012_val_00000004.JPEG': images.husky,
    [`${DEVKIT}/meta.mat`]: await fixture('meta.mat'),
    [`${DEVKIT}/ILSVRC2012_validation_ground_truth.txt`]: '1\n4\n2\n3\n',
    'map_clsloc.txt':
      'n02119789 1 kit_fox\nn02100735 2 English_setter\nn02110185 3 Siberian_husky\nn02096294 4 Australian_terrier\n',
    'synset_words.txt':
      'n02096294 Australian terrier\nn02100735 English setter\nn02110185 Siberian husky\nn02119789 kit fox, Vulpes macrotis\n',
    'caffe/val.txt':
      'ILSVRC2012_val_00000001.JPEG 3\nILSVRC2012_val_00000002.JPEG 0\n' +
      'ILSVRC2012_val_00000003.JPEG 1\nILSVRC2012_val_00000004.JPEG 2\n',
  };
}

/** SceneParse150: two training images, one of which has labels, and one for validation. */
export async function ade20k(): Promise<Installation> {
  const [image, mask, other] = await Promise.all(['fox.jpg', 'fox_mask.png', 'husky.jpg'].map(fixture));
  const root = 'ADEChallengeData2016';
  const object = (number: number) => {
    const name =
      { 10: 'grass', 127: 'animal, animate being, beast, brute, creature, fauna' }[number] ?? `object ${number} `;
    // The published table has spaces after some numbers and names.
    return `${number}${number % 7 === 0 ? ' ' : ''}\t0.0100\t100\t10\t${name}`;
  };
  return {
    [`${root}/images/training/ADE_train_00000001.jpg`]: image as Uint8Array,
    [`${root}/images/training/ADE_train_00000002.jpg`]: other as Uint8Array,
    [`${root}/annotations/training/ADE_train_00000001.png`]: mask as Uint8Array,
    [`${root}/images/validation/ADE_val_00000001.jpg`]: image as Uint8Array,
    [`${root}/annotations/validation/ADE_val_00000001.png`]: mask as Uint8Array,
    [`${root}/objectInfo150.txt`]: `Idx\tRatio\tTrain\tVal\tName\n${Array.from({ length: 150 }, (_, i) => object(i + 1)).join('\n')}\n`,
    [`${root}/sceneCategories.txt`]:
      'ADE_train_00000001 forest_path\nADE_train_00000002 ice_floe\nADE_val_00000001 forest_path\n',
  };
}

/** Fashion-MNIST with ten images in each part, one of each class: the train part packed, the test part as it is. */
export async function fashionMnist(): Promise<Installation> {
  return {
    'train-images-idx3-ubyte.gz': gzipSync(await fixture('fashion-train-images')),
    'train-labels-idx1-ubyte.gz': gzipSync(await fixture('fashion-train-labels')),
    't10k-images-idx3-ubyte': await fixture('fashion-t10k-images'),
    't10k-labels-idx1-ubyte': await fixture('fashion-t10k-labels'),
  };
}
