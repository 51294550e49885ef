// Node: the server as a process that ends with this one. `node --test`.
import assert from "node:assert";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";

const ready = join(mkdtempSync(join(tmpdir(), "llmsim-")), "url");
const options = ["--port", "0", "--workers", "1", "--latency", "instant"];
let server, url;

before(async () => {
  const program = process.env.LLMSIM ?? "llmsim";
  const args = ["serve", ...options, "--ready-file", ready, "--until-eof"];
  server = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] });
  while (!existsSync(ready)) await setTimeout(10);
  url = readFileSync(ready, "utf8").trim();
});

after(() => server.kill());

test("it answers as it is configured", async () => {
  const scope = `${url}/scope/weather`;
  const headers = { "content-type": "application/json" };
  const post = (path, body) =>
    fetch(scope + path, { method: "POST", headers, body: JSON.stringify(body) });
  await post("/llmsim/mocks", { response: { content: "Sunny." } });
  const answer = await post("/v1/responses", { model: "gpt-5", input: "How is the weather?" });
  assert.equal((await answer.json()).output.at(-1).content[0].text, "Sunny.");
  const sent = await (await fetch(`${scope}/llmsim/requests`)).json();
  assert.equal(sent.requests.length, 1);
});
