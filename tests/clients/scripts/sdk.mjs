// A client made with the official TypeScript SDK uses everything that postino's MCP server offers, and prints what it got as JSON.
// Arguments: the SDK's folder, the server's program, and a protocol version; `auto` finds out by itself what the server speaks.
// It judges nothing itself: but the SDK checks every structured answer against the schema that the server gave for it.

import { pathToFileURL } from "node:url";

const [sdk, postino, version] = process.argv.slice(2);
const { Client } = await import(pathToFileURL(`${sdk}/dist/index.mjs`).href);
const { StdioClientTransport } = await import(pathToFileURL(`${sdk}/dist/stdio.mjs`).href);

const MODERN = "2026-07-28";
const options = { versionNegotiation: { mode: version === "auto" ? "auto" : version === MODERN ? { pin: MODERN } : "legacy" } };
if (options.versionNegotiation.mode === "legacy") options.supportedProtocolVersions = [version];
const client = new Client({ name: "sdk", version: "1" }, options);

const got = { arrivals: [], complaints: [] };
client.onerror = (error) => got.complaints.push(String(error));
let arrived;
const arrival = new Promise((resolve) => (arrived = resolve));
const hears = (what) => (notice) => { got.arrivals.push([what, notice.params]); arrived(); };
client.setNotificationHandler("notifications/message", hears("message"));
client.setNotificationHandler("notifications/resources/updated", hears("updated"));

await client.connect(new StdioClientTransport({ command: postino, args: ["mcp"], env: process.env, stderr: "inherit" }));
got.version = client.getNegotiatedProtocolVersion();
got.era = client.getProtocolEra();
got.server = client.getServerVersion();
got.instructions = client.getInstructions();
if (got.era === "legacy") {
  got.ping = await client.ping();
  await client.setLoggingLevel("info");
  await client.subscribeResource({ uri: "postino://inbox/me" });
} else {
  const listening = await client.listen({ resourceSubscriptions: ["postino://inbox/me"] });
  got.honoured = listening.honoredFilter;
}

got.listed = (await client.listTools()).tools.map((tool) => tool.name);
const call = async (name, given) => {
  const answer = await client.callTool({ name, arguments: given });
  return answer.isError ? { refused: answer.content[0].text } : answer.structuredContent;
};
got.whoami = await call("msg_whoami", {});
got.check = await call("msg_check", {});
// The first look of the server may come after the first message, which then is no news.
const end = Date.now() + 30_000;
let sent = 0;
while (got.arrivals.length === 0 && Date.now() < end) {
  got.send = await call("msg_send", { to: "me", body: `to myself ${++sent}` });
  await Promise.race([arrival, new Promise((resolve) => setTimeout(resolve, 500))]);
}
got.inbox = JSON.parse((await client.readResource({ uri: "postino://inbox/me" })).contents[0].text);
got.sent = sent;
got.read = await call("msg_read", {});
got.send = await call("msg_send", { to: "me", body: "held" });
got.held = await call("msg_read", { lease: 60 });
got.ack = await call("msg_ack", { receipts: got.held.messages.map((message) => message.receipt) });
got.broadcast = await call("msg_broadcast", { body: "to all" });
got.broadcasts = await call("msg_broadcasts", { all: true });
got.agents = await call("msg_list_agents", {});
got.wrong = await call("msg_send", { to: "me", from: "somebody else", body: "hello" });
got.unknown = await call("msg_nothing", {}).catch((error) => ({ error: String(error) }));

got.resources = (await client.listResources()).resources.map((resource) => resource.uri);
got.templates = (await client.listResourceTemplates()).resourceTemplates.map((template) => template.uriTemplate);
got.people = JSON.parse((await client.readResource({ uri: "postino://agents" })).contents[0].text);
got.prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
got.prompt = (await client.getPrompt({ name: "send-message", arguments: { to: "me", body: "by a prompt" } })).messages;
got.checked = (await client.getPrompt({ name: "check-messages" })).messages;
const ref = { type: "ref/prompt", name: "send-message" };
got.completion = (await client.complete({ ref, argument: { name: "to", value: "m" } })).completion.values;

got.rename = await call("msg_rename", { name: "somebody" });
got.renamed = await call("msg_whoami", {});
got.cleanup = await call("msg_cleanup", {});
await client.close();
console.log(JSON.stringify(got));
