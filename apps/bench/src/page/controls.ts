import type { BenchBackend, Suite } from '../core/comparison.ts';
import { byId, make } from './dom.ts';
import type { Support } from './support.ts';
import { softwareLabel } from './table.ts';

/** What the visitor wants to see measured. */
export interface Choice {
  readonly backends: readonly BenchBackend[];
  readonly suites: readonly string[];
  readonly scale: 'quick' | 'full';
  readonly only: readonly string[];
  readonly peers: boolean;
}

const NAMES: Readonly<Record<BenchBackend, string>> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'cpu',
};

/** The form: what can be chosen, and what is. */
export class Controls {
  readonly #form = byId('controls', HTMLFormElement);
  readonly #fields = byId('fields', HTMLFieldSetElement);
  readonly #start = byId('start', HTMLButtonElement);
  readonly #cancel = byId('cancel', HTMLButtonElement);
  readonly #complaint = byId('complaint', HTMLElement);

  constructor(suites: readonly Suite[], support: readonly Support[]) {
    const first = preferred(support);
    byId('backends', HTMLElement).append(...support.map((one) => backendBox(one, one === first)));
    const offered = suites.filter(({ homes }) => homes.includes('browser'));
    byId('suites', HTMLElement).append(
      ...offered.map((suite, index) => box('suite', suite.name, suite.title, suiteNote(suite), index === 0)),
    );
  }

  onStart(listener: (choice: Choice) => void): void {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const choice = this.#choice();
      const missing = choice.backends.length === 0 ? 'a backend' : choice.suites.length === 0 ? 'a suite' : undefined;
      this.#complaint.textContent = missing === undefined ? '' : `Choose ${missing} first.`;
      if (missing === undefined) listener(choice);
    });
  }

  onCancel(listener: () => void): void {
    this.#cancel.addEventListener('click', listener);
  }

  /** While something runs, it can be cancelled, and nothing else. */
  set running(running: boolean) {
    const [leaves, comes] = running ? [this.#start, this.#cancel] : [this.#cancel, this.#start];
    // A button loses the focus with its use; who is on the keyboard should find it on the one that takes over.
    const focused = document.activeElement === leaves;
    this.#fields.disabled = running;
    leaves.disabled = true;
    comes.disabled = false;
    if (focused) comes.focus();
  }

  #choice(): Choice {
    const data = new FormData(this.#form);
    const only = String(data.get('only') ?? '');
    return {
      backends: data.getAll('backend') as BenchBackend[],
      suites: data.getAll('suite').map(String),
      scale: data.get('scale') === 'full' ? 'full' : 'quick',
      only: only.split(/[\s,]+/).filter((part) => part !== ''),
      peers: data.has('peers'),
    };
  }
}

/** A GPU that is one, else the processor: a software driver is nobody's first choice. */
function preferred(support: readonly Support[]): Support | undefined {
  const there = support.filter(({ reason }) => reason === undefined);
  const find = (backend: BenchBackend) => there.find((one) => one.backend === backend && !one.softwareGpu);
  return find('webgpu') ?? find('wasm') ?? there[0];
}

function backendBox({ backend, device, reason, softwareGpu }: Support, checked: boolean): HTMLElement {
  const element = box('backend', backend, NAMES[backend], reason ?? device ?? '', checked, reason !== undefined);
  if (softwareGpu) element.querySelector('small')?.append(' ', softwareLabel());
  return element;
}

function suiteNote({ backends }: Suite): string {
  return `on ${backends.map((backend) => NAMES[backend]).join(', ')}`;
}

/** A check box with its label and a smaller line below. */
function box(
  group: string,
  value: string,
  label: string,
  note: string,
  checked: boolean,
  disabled = false,
): HTMLElement {
  const id = `${group}-${value}`;
  const input = make('input', { type: 'checkbox', id, name: group, value, checked, disabled });
  const small = make('small', { id: `${id}-note` }, note);
  input.setAttribute('aria-describedby', small.id);
  return make('div', { className: 'option' }, input, make('label', { htmlFor: id }, label), small);
}
