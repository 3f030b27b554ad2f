import { preview } from 'vite';
import { launchBrowser } from '@saccade/browser';
import { ISOLATION } from './src/page/headers.node.ts';
const s = await preview({ configFile: false, logLevel: 'error', build: { outDir: '/tmp/h7/out' }, preview: { port: 0, headers: ISOLATION } });
const url = `http://localhost:${(s.httpServer.address() as any).port}/`;
const b = await launchBrowser({ webgpu: true });
const p = await b.newPage({ viewport: { width: 1200, height: 900 } });
p.on('console', (m) => console.log('console', m.text()));
p.on('pageerror', (m) => console.log('pageerror', m.stack));
p.on('response', (r) => r.status() >= 400 && console.log(r.status(), r.url()));
await p.goto(url);
await p.locator('#start:enabled').waitFor();
await p.screenshot({ path: '/tmp/h7/start.png', fullPage: true });
for (const backend of (process.argv[2] ?? 'wasm').split(',')) {
  for (const box of await p.locator('#backends input:checked').all()) await box.uncheck();
  await p.locator(`#backend-${backend}`).check();
  if (process.argv[3]) await p.locator('#only').fill(process.argv[3]);
  if (process.argv[4] === 'full') await p.locator('#scale-full').check();
  if (!process.argv[5]) await p.locator('#peers').uncheck(); 
  const t = performance.now();
  await p.getByRole('button', { name: 'Run' }).click();
  let last = '';
  for (;;) {
    const now = (await p.locator('#now').innerText()) + ' | ' + (await p.locator('#detail').innerText());
    if (now !== last) console.log(Math.round(performance.now() - t), now);
    last = now;
    if (await p.locator('#start').isEnabled() || performance.now() - t > 150_000) break;
    await new Promise((r) => setTimeout(r, 400));
  }
  console.log(await p.locator('#devices').innerText());
  console.log(await p.locator('#notes').innerText());
  console.log(await p.locator('#table').innerText());
  await p.waitForTimeout(400);
  await p.screenshot({ path: `/tmp/h7/${backend}.png`, fullPage: true });
}
await p.emulateMedia({ colorScheme: 'dark' });
await p.waitForTimeout(200);
await p.screenshot({ path: '/tmp/h7/dark.png', fullPage: true });
await p.setViewportSize({ width: 360, height: 740 });
await p.waitForTimeout(400);
await p.screenshot({ path: '/tmp/h7/narrow.png', fullPage: true });
await b.close(); await s.close();
