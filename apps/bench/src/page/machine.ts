import type { RunHeader } from '../core/run.ts';

/** What Chromium tells beyond the standard; other browsers only have the user agent's name. */
interface ChromiumNavigator {
  readonly userAgentData?: {
    readonly brands: readonly { readonly brand: string; readonly version: string }[];
    readonly platform: string;
    getHighEntropyValues(hints: readonly string[]): Promise<Readonly<Record<string, string>>>;
  };
  /** GiB, rounded and capped */
  readonly deviceMemory?: number;
}

/**
 * The machine and the browser, as far as the browser tells. No browser names the processor, so its architecture stands for
 * it where even that is known.
 */
export async function describeMachine(): Promise<Pick<RunHeader, 'machine' | 'versions'>> {
  const { userAgentData, deviceMemory } = navigator as ChromiumNavigator;
  const hints = ['architecture', 'bitness', 'platformVersion', 'model'];
  const told = await userAgentData?.getHighEntropyValues(hints).catch(() => undefined);
  const processor = told?.architecture
    ? `${told.architecture}, ${told.bitness} bit`
    : 'a processor that the browser does not name';
  return {
    machine: {
      processor,
      cores: navigator.hardwareConcurrency,
      ...(deviceMemory !== undefined && { memory: deviceMemory * 2 ** 30 }),
      system: [userAgentData?.platform ?? navigator.platform, told?.platformVersion, told?.model]
        .filter(Boolean)
        .join(' '),
    },
    versions: { browser: browserName(userAgentData?.brands) },
  };
}

/** `Google Chrome 153`; the name of the user agent where there are no brands. */
function browserName(brands: readonly { readonly brand: string; readonly version: string }[] = []): string {
  // Chromium adds an invented brand, such as `Not;A=Brand`, and its own name beside the product's.
  const real = brands.filter(({ brand }) => !/not.*brand/i.test(brand));
  const product = real.find(({ brand }) => brand !== 'Chromium') ?? real[0];
  return product === undefined ? navigator.userAgent : `${product.brand} ${product.version}`;
}
