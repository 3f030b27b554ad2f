import type { Machine } from '../core/run.ts';

/** What Chromium tells beyond the standard. */
interface ChromiumNavigator {
  readonly userAgentData?: {
    readonly platform: string;
    getHighEntropyValues(hints: readonly string[]): Promise<Readonly<Record<string, string>>>;
  };
  /** GiB, rounded and capped */
  readonly deviceMemory?: number;
}

/**
 * The machine, as far as the browser tells. No browser names the processor, so its architecture stands for it where even that
 * is known.
 */
export async function describeMachine(): Promise<Machine> {
  const { userAgentData, deviceMemory } = navigator as ChromiumNavigator;
  const hints = ['architecture', 'bitness', 'platformVersion', 'model'];
  const told = await userAgentData?.getHighEntropyValues(hints).catch(() => undefined);
  const system = [userAgentData?.platform ?? navigator.platform, told?.platformVersion, told?.model];
  return {
    processor: told?.architecture
      ? `${told.architecture}, ${told.bitness} bit`
      : 'a processor that the browser does not name',
    cores: navigator.hardwareConcurrency,
    ...(deviceMemory !== undefined && { memory: deviceMemory * 2 ** 30 }),
    system: system.filter(Boolean).join(' '),
  };
}
