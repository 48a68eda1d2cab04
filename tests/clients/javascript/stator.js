// Starts the real binary, each time on a port and a directory of its own.

"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const { once } = require("node:events");

const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");

const REGION = "eu-central-1";
const BINARY =
  process.env.STATOR_BINARY ?? path.join(__dirname, "../../../target/release/stator");

class Stator {
  constructor() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), "stator-"));
    this.clients = [];
  }

  /** Starts the process and returns when it serves. */
  async start() {
    const options = ["serve", "--port", "0", "--region", REGION, "--dir", this.directory];
    this.process = spawn(BINARY, options, { stdio: ["ignore", "pipe", "inherit"] });
    this.gone = once(this.process, "exit");
    for await (const line of readline.createInterface(this.process.stdout)) {
      const endpoint = /^\s*endpoint\s+(http:\S+)/.exec(line);
      if (endpoint) this.endpoint = endpoint[1];
      if (/^\s*try\s/.test(line)) return this;
    }
    throw new Error("the server did not start");
  }

  /** The power cut. */
  async kill() {
    for (const client of this.clients.splice(0)) client.destroy();
    this.process.kill("SIGKILL");
    await this.gone;
  }

  /** A client of this server that fails rather than tries again. */
  client() {
    const client = new DynamoDBClient({
      endpoint: this.endpoint,
      region: REGION,
      credentials: { accessKeyId: "stator", secretAccessKey: "stator" },
      maxAttempts: 1,
    });
    this.clients.push(client);
    return client;
  }

  async remove() {
    await this.kill();
    fs.rmSync(this.directory, { recursive: true });
  }
}

/** Runs a test against a server of its own. */
function withStator(test) {
  return async () => {
    const stator = await new Stator().start();
    try {
      await test(stator);
    } finally {
      await stator.remove();
    }
  };
}

module.exports = { withStator };
