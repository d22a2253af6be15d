// Drives a headless Chromium over a pipe, in the DevTools protocol: no package is needed for it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Page {
  #child;
  #profile;
  #calls = new Map();
  #listeners = [];
  #session;
  #next = 1;

  static async open({ width = 390, height = 844, scale = 2, dark = false } = {}) {
    const page = new Page();
    page.#profile = mkdtempSync(join(tmpdir(), 'chromium-'));
    page.#child = spawn(
      process.env.CHROMIUM ?? 'chromium',
      [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--hide-scrollbars', '--remote-debugging-pipe',
        '--disable-renderer-backgrounding', `--user-data-dir=${page.#profile}`, 'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
    );
    const dead = (error) => {
      for (const { reject } of page.#calls.values()) reject(error);
      page.#calls.clear();
    };
    page.#child.on('error', dead);
    page.#child.on('exit', (code) => dead(new Error(`Chromium ended with ${code}`)));
    page.#child.stdio[3].on('error', dead);
    let received = Buffer.alloc(0);
    page.#child.stdio[4].on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      for (let end; (end = received.indexOf(0)) >= 0; received = received.subarray(end + 1)) {
        page.#take(JSON.parse(received.subarray(0, end).toString()));
      }
    });
    const { targetInfos } = await page.send('Target.getTargets');
    const { targetId } = targetInfos.find(({ type }) => type === 'page');
    page.#session = (await page.send('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    await page.send('Page.enable');
    await page.send('Runtime.enable');
    await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: scale, mobile: true });
    await page.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    await page.send('Emulation.setEmulatedMedia', {
      features: [
        { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' },
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ],
    });
    page.problems = [];
    page.#listeners.push(({ method, params }) => {
      if (method === 'Runtime.exceptionThrown') page.problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === 'Runtime.consoleAPICalled' && params.type === 'error') page.problems.push(params.args.map((a) => a.value ?? a.description).join(' '));
    });
    return page;
  }

  send(method, params = {}) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, method });
      this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.#session })}\0`);
    });
  }

  #take(message) {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.error) call?.reject(new Error(`${call.method}: ${message.error.message}`));
    else call?.resolve(message.result);
  }

  async go(url) {
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
  }

  /** The value of an expression; a promise's when it is settled. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async until(expression, seconds = 30) {
    for (const end = Date.now() + 1000 * seconds; ; ) {
      const value = await this.evaluate(expression).catch(() => false); // While a page is loading there may be none.
      if (value) return value;
      if (Date.now() > end) throw new Error(`waited ${seconds} s for: ${expression}; ${this.problems.join('; ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** A finger on the middle of an element. */
  async tap(selector) {
    const at = await this.evaluate(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: 'center', inline: 'center' });
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`);
    await this.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
    await this.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  }

  async screenshot() {
    return Buffer.from((await this.send('Page.captureScreenshot', { format: 'png' })).data, 'base64');
  }

  async close() {
    await this.send('Browser.close').catch(() => {});
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
      await new Promise((resolve) => this.#child.on('exit', resolve));
      clearTimeout(timer);
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
