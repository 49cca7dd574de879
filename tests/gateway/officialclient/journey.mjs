// One user's way through the vendor's own client, against whatever TENSORLAKE_API_URL names.
// Prints "ok NAME" for each step that came out right, and stops with the first that did not.
import assert from "node:assert/strict";
import net from "node:net";
import { Sandbox } from "tensorlake";

const patience = 30_000;
const decoder = new TextDecoder();
// Says its port, and gives back what comes.
const echoService = `import socket
s=socket.create_server(("127.0.0.1",0))
print(s.getsockname()[1],flush=True)
while True:
    c,_=s.accept()
    while d:=c.recv(65536): c.sendall(d)
    c.close()`;

async function step(name, work) {
    const result = await work();
    console.log(`ok ${name}`);
    return result;
}

async function until(what, heard, wanted) {
    const deadline = Date.now() + patience;
    while (!heard.text.includes(wanted)) {
        if (Date.now() > deadline)
            throw new Error(`waited in vain for ${what}, heard ${JSON.stringify(heard.text)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

function listen(pty) {
    const heard = { text: "" };
    pty.onData((bytes) => { heard.text += decoder.decode(bytes, { stream: true }); });
    return heard;
}

let sandbox;
try {
    sandbox = await step("create", async () => {
        const made = await Sandbox.create({ name: "journey" });
        assert.match(made.sandboxId, /^[a-z0-9]{21}$/);
        return made;
    });
    await step("list", async () => {
        const all = await Sandbox.list();
        const own = all.find((info) => info.sandboxId === sandbox.sandboxId);
        assert.equal(own.status, "running");
        assert.equal(own.name, "journey");
        assert.ok(own.createdAt instanceof Date && Math.abs(own.createdAt - Date.now()) < 3_600_000);
        assert.equal(own.resources.memoryMb, 1024);
    });
    const connected = await step("connect by name", async () => Sandbox.connect({ sandboxId: "journey" }));
    await step("health", async () => assert.equal((await connected.health()).healthy, true));
    await step("run", async () => {
        const result = await connected.run("/bin/sh", {
            args: ["-c", "echo out; echo err >&2; echo $MARK; exit 3"],
            env: { MARK: "set" },
        });
        assert.equal(result.exitCode, 3);
        assert.equal(result.stdout.trimEnd(), "out\nset");
        assert.equal(result.stderr.trimEnd(), "err");
    });
    await step("start, list, kill", async () => {
        const started = await connected.startProcess("sleep", { args: ["1000"] });
        assert.equal(started.status, "running");
        const listed = await connected.listProcesses();
        assert.ok(listed.some((each) => each.pid === started.pid));
        await connected.killProcess(started.pid);
    });
    await step("files", async () => {
        const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256);
        const path = "/workspace/of the client/a+b & 100%.bin";
        await connected.writeFile(path, bytes);
        assert.deepEqual(Buffer.from(await connected.readFile(path)), Buffer.from(bytes));
        const listed = await connected.listDirectory("/workspace/of the client");
        assert.deepEqual(listed.entries.map((each) => [each.name, each.isDir, each.size]), [["a+b & 100%.bin", false, bytes.length]]);
        await connected.deleteFile(path);
        await assert.rejects(connected.readFile(path), /404|not found|no such/i);
        await assert.rejects(connected.readFile("/workspace"), /400|director/i);
    });
    await step("tunnel", async () => {
        const service = await connected.startProcess("python3", { args: ["-c", echoService] });
        let port = 0;
        const deadline = Date.now() + patience;
        while (port === 0 && Date.now() < deadline)
            port = Number((await connected.getStdout(service.pid)).lines[0] ?? 0);
        const tunnel = await connected.createTunnel(port, { localPort: 0 });
        const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));
        const back = await new Promise((resolve, reject) => {
            const pieces = [];
            const socket = net.connect(tunnel.localPort, tunnel.localHost, () => socket.write(bytes));
            socket.on("data", (piece) => {
                pieces.push(piece);
                if (pieces.reduce((sum, each) => sum + each.length, 0) >= bytes.length)
                    resolve(Buffer.concat(pieces));
            });
            socket.on("error", reject);
            socket.setTimeout(patience, () => reject(new Error("no answer through the tunnel")));
        });
        assert.deepEqual(back, bytes);
        await tunnel.close();
        await connected.killProcess(service.pid);
    });
    const shell = { command: "/bin/bash", args: ["--norc"], env: { PS1: "$ ", TERM: "dumb" }, rows: 24, cols: 80 };
    const pty = await step("create a PTY", async () => connected.createPty(shell));
    const heard = listen(pty);
    await step("input and output", async () => {
        await pty.sendInput("echo here-$((20+1)); MARK=kept\r");
        await until("the echo", heard, "here-21\r\n");
    });
    await step("resize", async () => {
        await pty.resize(120, 40);
        await pty.sendInput("stty size\r");
        await until("the size", heard, "\r\n40 120\r\n");
    });
    await step("attach a second time", async () => {
        const other = await connected.connectPty(pty.sessionId, pty.token);
        const replay = listen(other);
        await until("the replay", replay, "here-21\r\n");
        await other.sendInput("echo from-the-other\r");
        await until("the first client's output", heard, "\r\nfrom-the-other\r\n");
        await until("the second client's output", replay, "\r\nfrom-the-other\r\n");
        other.disconnect();
    });
    await step("suspend and resume", async () => {
        pty.disconnect();
        await connected.suspend({ pollInterval: 0.1 });
        assert.equal((await connected.info()).status, "suspended");
        await connected.resume({ pollInterval: 0.1 });
        assert.equal((await connected.info()).status, "running");
    });
    await step("the same shell after it, and its exit", async () => {
        const again = await connected.connectPty(pty.sessionId, pty.token);
        const later = listen(again);
        await again.sendInput("echo $MARK-$((2*3)); exit 7\r");
        assert.equal(await again.wait(), 7);
        assert.ok(later.text.includes("\r\nkept-6\r\n"));
    });
    await step("a wrong token is refused", async () => {
        const other = await connected.createPty(shell);
        await assert.rejects(connected.connectPty(other.sessionId, "0".repeat(64)), /403/);
        await other.kill();
        await other.wait();
    });
    await step("terminate", async () => {
        await connected.terminate();
        const all = await Sandbox.list();
        const own = all.find((info) => info.sandboxId === sandbox.sandboxId);
        assert.ok(!own || own.status === "terminated");
    });
    console.log("done");
} catch (error) {
    console.log(`failed ${error.stack ?? error}`);
    process.exitCode = 1;
}
// The client keeps connections for reuse; nothing more is asked of them.
process.exit();
