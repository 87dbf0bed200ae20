// A browser and its pages over the DevTools protocol, by way of a pipe: no
// driver, no port, no network.

import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The path of a Chromium: what CHROMIUM says, else the first on the path. */
export function chromium() {
  const folders = (process.env.PATH || "").split(delimiter);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.CHROMIUM, ...places].filter(Boolean).find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts a browser with an empty profile. */
export async function launch(program) {
  const profile = mkdtempSync(join(tmpdir(), "rulec-catalog-"));
  const child = spawn(
    program,
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--hide-scrollbars",
      "--remote-debugging-pipe",
      `--user-data-dir=${profile}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  const waiting = new Map();
  const listeners = new Set();
  let number = 0;
  let rest = "";
  child.stdio[4].setEncoding("utf8");
  child.stdio[4].on("data", (text) => {
    const parts = (rest + text).split("\0");
    rest = parts.pop();
    for (const part of parts) {
      const message = JSON.parse(part);
      if (message.id) {
        const { resolve, reject } = waiting.get(message.id);
        waiting.delete(message.id);
        if (message.error) reject(new Error(message.error.message));
        else resolve(message.result);
      } else {
        for (const listener of listeners) listener(message);
      }
    }
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the browser has ended"));
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      number += 1;
      waiting.set(number, { resolve, reject });
      child.stdio[3].write(`${JSON.stringify({ id: number, method, params, sessionId })}\0`);
    });

  return {
    async page() {
      const { targetId } = await send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      return new Page((method, params) => send(method, params, sessionId), listeners, sessionId);
    },
    async close() {
      await send("Browser.close").catch(() => {});
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** One page. `problems` collects what it logs as an error, `requests` what it asks for. */
class Page {
  constructor(send, listeners, sessionId) {
    this.send = send;
    this.problems = [];
    this.requests = [];
    this.events = new Map();
    listeners.add(({ sessionId: of, method, params }) => {
      if (of !== sessionId) return;
      if (method === "Runtime.exceptionThrown") this.problems.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
      if (method === "Runtime.consoleAPICalled" && params.type === "error") this.problems.push(params.args.map((a) => a.value).join(" "));
      if (method === "Log.entryAdded" && params.entry.level === "error") this.problems.push(params.entry.text);
      if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
      for (const resolve of this.events.get(method) || []) resolve(params);
      this.events.delete(method);
    });
  }

  next(method) {
    return new Promise((resolve) => this.events.set(method, [...(this.events.get(method) || []), resolve]));
  }

  /** Opens an address, in a window of some width, light or dark, with or without scripts. */
  async open(url, { width = 1280, height = 900, scheme = "light", scripts = true, media = "" } = {}) {
    if (!this.enabled) {
      for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.send(`${domain}.enable`);
      this.enabled = true;
    }
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await this.media(scheme, media);
    await this.send("Emulation.setScriptExecutionDisabled", { value: !scripts });
    // Another fragment of the same page would load nothing.
    for (const address of ["about:blank", url]) {
      const loaded = this.next("Page.loadEventFired");
      await this.send("Page.navigate", { url: address });
      await loaded;
    }
  }

  async media(scheme, media = "") {
    await this.send("Emulation.setEmulatedMedia", {
      media,
      features: [
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" },
      ],
    });
  }

  /** The value of an expression, awaited. */
  async eval(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  }

  /** Presses a key: `Tab`, `Enter`, ` `, or one that writes itself. */
  async press(key, modifiers = 0) {
    const known = { Tab: 9, Enter: 13, " ": 32, Escape: 27 };
    const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
    const code = key === " " ? "Space" : key;
    const params = { key, code, windowsVirtualKeyCode: known[key] || (/^[a-z0-9]$/i.test(key) ? key.toUpperCase().charCodeAt(0) : 0), modifiers };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", text, ...params });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...params });
  }

  async type(text) {
    for (const letter of text) await this.press(letter);
  }

  /** A picture of the whole page, as PNG. */
  async picture() {
    const { cssContentSize } = await this.send("Page.getLayoutMetrics");
    const { data } = await this.send("Page.captureScreenshot", {
      captureBeyondViewport: true,
      clip: { x: 0, y: 0, width: cssContentSize.width, height: Math.min(cssContentSize.height, 8000), scale: 1 },
    });
    return Buffer.from(data, "base64");
  }
}
