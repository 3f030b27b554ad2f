import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolveReference, weightsId } from './reference.ts';
import { errorOf } from './testing/fetching.ts';

const urlOf = (reference: string, hfEndpoint?: string) => resolveReference(reference, { hfEndpoint }).url.href;

describe('a URL', () => {
  it('is taken as it is, without its fragment', () => {
    expect(urlOf('https://host.example/a%20b/c.pth?x=1#part')).toBe('https://host.example/a%20b/c.pth?x=1');
    expect(resolveReference(new URL('http://localhost:8080/x')).url.href).toBe('http://localhost:8080/x');
  });

  it('is shown without its query', () => {
    const target = resolveReference('https://host.example/c.pth?signature=secret');
    expect(target).toMatchObject({ shown: 'https://host.example/c.pth?…', hub: false });
    expect(target.id).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has an id of its own', () => {
    const ids = ['https://a.example/x', 'https://a.example/y', 'https://a.example/x?1', 'http://a.example/x'].map(
      (url) => weightsId(url),
    );
    expect(new Set(ids).size).toBe(4);
    expect(weightsId('https://A.example:443/x#z')).toBe(weightsId('https://a.example/x'));
  });

  it.each(['', 'model.pth', '/model.pth', 'ftp://h/x', 'file:///x', 'blob:http://h/1', 'data:,x', 'https://', 'C:\\x'])(
    'is not %j',
    (text) => expect(errorOf(() => resolveReference(text)).code).toBe('InvalidArgument'),
  );

  it.each([null, undefined, 7, {}])('is not %j', (value) => {
    expect(errorOf(() => resolveReference(value as never)).code).toBe('InvalidArgument');
  });

  it('with a password is refused without repeating it', () => {
    const { message } = errorOf(() => resolveReference('https://me:hunter2@host.example/x'));
    expect(message).toContain('host.example');
    expect(message).not.toContain('hunter2');
  });

  describe('in a page', () => {
    afterEach(() => vi.unstubAllGlobals());

    it('may be relative to it', () => {
      vi.stubGlobal('location', { href: 'https://site.example/demo/' });
      expect(urlOf('models/x.safetensors')).toBe('https://site.example/demo/models/x.safetensors');
    });
  });
});

describe('hf:', () => {
  it.each([
    ['hf:owner/repo/model.safetensors', '/owner/repo/resolve/main/model.safetensors'],
    ['hf:owner/repo/a/b/model.bin@v1.0', '/owner/repo/resolve/v1.0/a/b/model.bin'],
    ['hf:Own-er_1/re.po/x@refs/pr/1', '/Own-er_1/re.po/resolve/refs%2Fpr%2F1/x'],
    ['hf:o/r/with space#%3f.bin@0123abc', '/o/r/resolve/0123abc/with%20space%23%253f.bin'],
    ['hf:o/r/at@in.name@main', '/o/r/resolve/main/at%40in.name'],
    ['hf:o/r/é.bin', '/o/r/resolve/main/%C3%A9.bin'],
    ['hf:o/r/...hidden', '/o/r/resolve/main/...hidden'],
  ])('%s', (reference, path) => {
    expect(urlOf(reference)).toBe(`https://huggingface.co${path}`);
    expect(urlOf(reference, 'http://mirror.example:81/hub')).toBe(`http://mirror.example:81/hub${path}`);
    expect(resolveReference(reference).hub).toBe(true);
  });

  it.each([
    'hf:',
    'hf:owner',
    'hf:owner/repo',
    'hf:owner/repo/',
    'hf:owner/repo@main',
    'hf:/repo/file',
    'hf:owner//file',
    'hf:../../etc/passwd',
    'hf:owner/../file',
    'hf:owner/./file',
    'hf:owner/repo/../../other/repo/file',
    'hf:owner/repo/a//b',
    'hf:owner/repo/./b',
    'hf:owner/repo/a\\b',
    'hf:owner/repo/a\0b',
    'hf:owner/repo/a\nb',
    'hf:owner/repo/\ud800',
    'hf:owner/repo.git/file',
    'hf:ow--ner/repo/file',
    'hf:-owner/repo/file',
    'hf:owner./repo/file',
    'hf:own er/repo/file',
    'hf:own%2e/repo/file',
    'hf:host.example:80/repo/file',
    `hf:${'a'.repeat(97)}/repo/file`,
    'hf:owner/repo/file@',
    'hf:owner/repo/file@..',
    'hf:owner/repo/file@a/../b',
    'hf:owner/repo/file@a//b',
    'hf:owner/repo/file@/a',
    'hf:owner/repo/file@a b',
    'hf:owner/repo/file@-x',
  ])('refuses %j', (reference) => {
    const { code, message } = errorOf(() => resolveReference(reference));
    expect(code).toBe('InvalidArgument');
    expect(message).toContain('hf:owner/repo/path/file@revision');
  });

  it('refuses an endpoint that is no server', () => {
    expect(errorOf(() => resolveReference('hf:o/r/f', { hfEndpoint: 'huggingface.co' })).code).toBe('InvalidArgument');
  });
});
