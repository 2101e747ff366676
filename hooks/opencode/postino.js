// Tells an OpenCode session of its mail. Each event calls `postino hook`, which prints nothing when nothing is new.
// This file knows neither mail nor names. `postino install opencode` puts it in place, `postino uninstall opencode` removes it.
import { spawn } from "node:child_process"

// A hook ends by itself within 300 ms; this is for a machine that is out of breath.
const PATIENCE_MS = 2000

// Runs one hook and gives its text; none when it has nothing to say or anything goes wrong.
function run(event, directory, payload) {
  return new Promise((resolve) => {
    const child = spawn("postino", ["hook", event, "opencode"], {
      cwd: directory,
      stdio: ["pipe", "pipe", "ignore"],
      timeout: PATIENCE_MS,
    })
    let text = ""
    child.on("error", () => resolve(""))
    child.on("close", () => resolve(plain(text.trim())))
    child.stdout.on("data", (chunk) => (text += chunk))
    child.stdin.on("error", () => {})
    child.stdin.end(JSON.stringify({ hook_event_name: event, cwd: directory, ...payload }))
  })
}

// Some hooks wrap their text for clients that want JSON.
function plain(text) {
  if (!text.startsWith("{")) return text
  try {
    return JSON.parse(text).hookSpecificOutput?.additionalContext ?? ""
  } catch {
    return ""
  }
}

export const Postino = async ({ client, directory }) => {
  const started = new Set() // sessions that postino knows
  const children = new Set() // subagents' sessions: their events say nothing
  const continued = new Set() // sessions whose next message is postino's own
  const hook = (event, session, more) => run(event, directory, { session_id: session, ...more })
  const end = (session) => (started.delete(session) ? hook("session-end", session, { reason: "other" }) : undefined)

  const onPrompt = async (session, prompt) => {
    if (children.has(session) || continued.delete(session)) return ""
    const greeting = started.has(session) ? "" : await hook("session-start", session, { source: "startup" })
    started.add(session)
    const hint = await hook("user-prompt-submit", session, { prompt })
    return greeting || hint // the greeting holds the hint already
  }

  const onIdle = async (session) => {
    if (!started.has(session)) return
    const text = await hook("stop", session, {})
    if (!text) return
    continued.add(session)
    const sent = client.session.promptAsync({ path: { id: session }, body: { parts: [{ type: "text", text }] } })
    await sent.catch(() => continued.delete(session))
  }

  return {
    "chat.message": async ({ sessionID }, { parts }) => {
      const part = parts.findLast((part) => part.type === "text")
      if (!part) return
      const text = await onPrompt(sessionID, part.text)
      if (text) part.text += `\n\n${text}`
    },
    "tool.execute.after": async ({ sessionID, tool }, output) => {
      if (!started.has(sessionID)) return
      const text = await hook("post-tool-use", sessionID, { tool_name: tool })
      if (text) output.output += `\n\n${text}`
    },
    event: async ({ event }) => {
      const { properties } = event
      if (event.type === "session.created" && properties.info.parentID) children.add(properties.info.id)
      if (event.type === "session.idle") await onIdle(properties.sessionID)
      if (event.type === "session.deleted") await end(properties.info.id)
    },
    dispose: async () => {
      await Promise.all([...started].map(end))
    },
  }
}
