#!/usr/bin/env python3
"""How much the reward server bears. The exact observer of the miniature world isolates the server; client and server
share the machine.

    cargo build --config profile.dev.package.unigauge.opt-level=3
    python3 benches/rewards.py target/debug/unigauge [RUN …] [--ppocr] [--scale 0.1]

Prints one JSON object a run: requests and pictures a second, the median and the 99th percentile of the seconds of a
request, statuses, what was wrong, and the server's largest memory. Each request is counted once, by its own number.
Runs: small, batches, large, crowd, faults, drain, ppocr. `large` needs Pillow for its JPEGs. `--scale` shortens all
runs.
"""
import argparse, base64, http.client, json, os, random, signal, socket, struct, subprocess, sys, tempfile, threading, time, zlib

COLOURS = (230, 30, 30), (30, 170, 30), (40, 60, 230)
STRICT = """name = "strict"
observers = ["world"]
[[components]]
name = "exact"
rule = "geneval"
options = { accept_no_detections = true }
"""
READ = """name = "read"
observers = ["ppocr"]
[[components]]
name = "text"
rule = "text-recall"
options = { observers = ["ppocr"] }
"""


def png(width, height, rows, level=1):
    """A picture of rows of bytes, three a pixel."""
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = zlib.compress(b"".join(b"\0" + row for row in rows), level)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def square(seed):
    """32 × 32 pixels of grey with a square that the observer knows. The greys of the first 78,000 seeds differ."""
    r = random.Random(seed)
    x, y, colour = 8 * r.randrange(4) + 1, 8 * r.randrange(4) + 1, bytes(r.choice(COLOURS))
    grey = lambda number: bytes(126 + number // 5**channel % 5 for channel in range(3))
    ground = grey(seed // 15_625)
    rows = [ground * x + colour * 6 + ground * (26 - x) if y <= at < y + 6 else ground * 32 for at in range(32)]
    rows[0] = grey(seed) + grey(seed // 125) + rows[0][6:]
    return png(32, 32, rows)


def big(side, seed):
    """A picture of so many pixels a side; every second row is noise, which does not compress."""
    r = random.Random(seed)
    return png(side, side, [r.randbytes(side * 3) if at % 2 else bytes(side * 3) for at in range(side)])


def body(pictures, reward="strict", first=0):
    """A request whose outputs are numbered from `first`, so that no answer is taken for that of another request."""
    expect = {"tag": "single_object", "include": [{"class": "square", "count": 1}]}
    outputs = [
        {"id": str(first + at), "prompt": "a square", "image": base64.b64encode(p).decode(), "expect": expect}
        for at, p in enumerate(pictures)
    ]
    return json.dumps({"reward": reward, "requests": outputs}).encode()


class Server:
    def __init__(self, program, rewards, *more):
        self.folder = tempfile.TemporaryDirectory()
        names = []
        for name, text in rewards.items():
            open(f"{self.folder.name}/{name}.toml", "w").write(text)
            names.append(f"./{name}.toml")
        command = [program, "serve", "rewards", "--listen", "127.0.0.1:0", "--rewards", *names, *more]
        self.process = subprocess.Popen(command, cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.host, port = self.process.stdout.readline().strip().removeprefix("http://").rsplit(":", 1)
        self.port = int(port)
        for _ in range(6000):
            if self.ask("GET", "/health")[0] == 200:
                return
            time.sleep(0.05)
        sys.exit("the server does not become ready")

    def ask(self, method, path, data=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=180)
        connection.request(method, path, data)
        answer = connection.getresponse()
        result = answer.status, answer.read()
        connection.close()
        return result

    def metric(self, series):
        """The value of a line of /metrics; 0 if there is none."""
        lines = self.ask("GET", "/metrics")[1].decode().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(series + " ")), 0)

    def memory(self):
        """The largest resident memory, in MiB (Linux)."""
        try:
            status = open(f"/proc/{self.process.pid}/status").read()
            return int(status.split("VmHWM:")[1].split()[0]) // 1024
        except (OSError, IndexError):
            return None

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.folder.cleanup()
        return code


def load(server, bodies, count, threads, path="/v1/rewards", check=None):
    """`count` requests over so many connections, which stay open."""
    lock, numbers, seconds, statuses, wrong = threading.Lock(), iter(range(count)), [], {}, []

    def client():
        connection = http.client.HTTPConnection(server.host, server.port, timeout=180)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return connection.close()
            start = time.monotonic()
            try:
                connection.request("POST", path, bodies[number % len(bodies)], {"Content-Type": "application/json"})
                answer = connection.getresponse()
                status, text = answer.status, answer.read()
                if status == 429 and not answer.getheader("Retry-After"):
                    wrong.append("429 without Retry-After")
                if check and status == 200:
                    check(number, json.loads(text), wrong)
            except (OSError, http.client.HTTPException) as error:
                status = type(error).__name__
                connection.close()
            with lock:
                seconds.append(time.monotonic() - start)
                statuses[str(status)] = statuses.get(str(status), 0) + 1

    start = time.monotonic()
    clients = [threading.Thread(target=client) for _ in range(threads)]
    [thread.start() for thread in clients]
    [thread.join() for thread in clients]
    took = time.monotonic() - start
    if sum(statuses.values()) != count:
        wrong.append(f"{sum(statuses.values())} answers to {count} requests")
    seconds.sort()
    at = lambda share: round(seconds[min(int(len(seconds) * share), len(seconds) - 1)], 4)
    return {"requests a second": round(count / took, 1), "p50": at(0.5), "p99": at(0.99), "statuses": statuses, "wrong": wrong[:5]}


def all_right(many=1, reward=None):
    """Checks that each answer is that of its request, `many` outputs long, and that all of them have rewards."""

    def check(number, answer, wrong):
        results = answer["results"]
        ids = [str(number * many + at) for at in range(many)]
        if [result["id"] for result in results] != ids:
            wrong.append(f"request {number} got the answer of {results[:1]}")
        elif any(result["reward"] is None or reward not in (None, result["reward"]) for result in results):
            wrong.append(str(answer)[:300])

    return check


def small(arguments):
    bodies = [body([square(seed)], first=seed) for seed in range(max(int(10_000 * arguments.scale), 1024))]
    for threads in (1, 8, 64, 256, 1024):
        # A new server has seen none of the pictures.
        server = Server(arguments.program, {"strict": STRICT})
        result = load(server, bodies, len(bodies), threads, check=all_right(reward=1.0))
        yield {"run": f"1 picture of 32², {threads} at a time", **result, "MiB": server.memory()}
        server.end()


def batches(arguments):
    server = Server(arguments.program, {"strict": STRICT})
    count = max(int(500 * arguments.scale), 8)
    bodies = [body([square(at * 64 + seed) for seed in range(64)], first=at * 64) for at in range(count)]
    result = load(server, bodies, count, 8, check=all_right(64, 1.0))
    yield {"run": "64 pictures of 32², 8 at a time", "pictures a second": round(result["requests a second"] * 64), **result, "MiB": server.memory()}
    server.end()


def large(arguments):
    from PIL import Image
    import io

    def jpeg(seed):
        noise = random.Random(seed).randbytes(64 * 64 * 3)
        file = io.BytesIO()
        Image.frombytes("RGB", (64, 64), noise).resize((512, 512), Image.BICUBIC).save(file, "JPEG", quality=95)
        return file.getvalue()

    server = Server(arguments.program, {"strict": STRICT})
    count = max(int(2000 * arguments.scale), 64)
    files = [jpeg(seed) for seed in range(count)]
    bodies = [body([file], first=at) for at, file in enumerate(files)]
    result = load(server, bodies, count, 64, check=all_right())
    memory = server.memory()
    server.end()
    # What decoding alone reaches, on one core, by another decoder.
    start = time.monotonic()
    for file in files[:200]:
        Image.open(io.BytesIO(file)).load()
    alone = round(len(files[:200]) / (time.monotonic() - start), 1)
    yield {"run": "1 JPEG of 512², 64 at a time", **result, "MiB": memory, "Pillow decodes a second": alone}


def crowd(arguments):
    server = Server(arguments.program, {"strict": STRICT})
    files = [big(1024, seed) for seed in range(8)]
    clients = max(int(256 * arguments.scale), 4)
    bodies = [body([files[(at + seed) % 8] for seed in range(64)]) for at in range(4)]
    yield {"run": f"64 pictures of 1024² from {clients} clients at once", **load(server, bodies, clients, clients), "MiB": server.memory()}
    after = [body([square(seed)], first=seed) for seed in range(1000)]
    yield {"run": "afterwards, 1 picture of 32², 8 at a time", **load(server, after, 1000, 8, check=all_right(reward=1.0))}
    server.end()


def faults(arguments):
    server = Server(arguments.program, {"strict": STRICT})
    good = square(1)
    bomb = good[:16] + struct.pack(">II", 100_000, 10_000) + good[24:]
    r, kinds, bodies = random.Random(1), [], []
    for seed in range(max(int(5000 * arguments.scale), 100)):
        kind = r.choices(["good", "truncated", "bomb", "unknown"], [91, 5, 2, 2])[0]
        picture = {"truncated": good[: len(good) // 2], "bomb": bomb}.get(kind, square(seed))
        kinds.append(kind)
        bodies.append(body([picture], "nothing" if kind == "unknown" else "strict", seed))

    def check(number, answer, wrong):
        result = answer["results"][0]
        told = result["errors"].get("reward", {}).get("kind")
        seen = {("picture", None): "faulty", (None, 1.0): "good"}.get((told, result["reward"]))
        if result["id"] != str(number) or seen != ("good" if kinds[number] == "good" else "faulty"):
            wrong.append(f"{kinds[number]}: {result}")

    slow, cut = [], []

    def drip():
        start, stream = time.monotonic(), socket.create_connection((server.host, server.port))
        try:
            stream.sendall(b"POST /v1/rewards HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
            while time.monotonic() - start < 30:
                stream.sendall(b" ")
                time.sleep(1)
        except OSError:
            cut.append(time.monotonic() - start)

    def hang_up():
        for seed in range(len(bodies) // 50):
            stream, sent = socket.create_connection((server.host, server.port)), body([square(30_000 + seed)])
            head = f"POST /v1/rewards HTTP/1.1\r\nHost: h\r\nContent-Length: {len(sent)}\r\n\r\n"
            stream.sendall(head.encode() + sent)
            stream.close()

    others = [threading.Thread(target=drip) for _ in range(50)] + [threading.Thread(target=hang_up)]
    [thread.start() for thread in others]
    result = load(server, bodies, len(bodies), 32, check=check)
    [thread.join() for thread in others]
    unknown, faulty = kinds.count("unknown"), kinds.count("truncated") + kinds.count("bomb")
    counted = server.metric('unigauge_errors_total{reward="strict",component="reward",kind="picture"}')
    exact = counted == faulty and result["statuses"] == {"200": len(bodies) - unknown, "400": unknown}
    slow = server.metric('unigauge_requests_total{route="/v1/rewards",status="408"}')
    yield {"run": "faults", **result, "kinds counted exactly": exact, "slow writers cut off": [len(cut), slow], "after at most": round(max(cut, default=0), 1)}
    server.end()


def drain(arguments):
    one, total, codes = body([square(1)]), {}, set()
    request = f"POST /v1/rewards HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(one)}\r\n\r\n".encode() + one

    def ask():
        """What became of one request on a connection of its own."""
        try:
            stream = socket.create_connection((server.host, server.port), timeout=60)
        except OSError:
            return "refused"
        try:
            stream.sendall(request)
            answer = b"".join(iter(lambda: stream.recv(65536), b""))
        except TimeoutError:
            return "no answer"
        except OSError:
            # The system had the connection, and the server had not taken it.
            return "reset"
        finally:
            stream.close()
        if answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 200 "):
            return "answered once"
        return "closed without an answer" if not answer else "another answer"

    def client():
        told = "answered once"
        while told == "answered once":
            told = ask()
            with lock:
                total[told] = total.get(told, 0) + 1

    lock = threading.Lock()
    for turn in range(max(int(50 * arguments.scale), 2)):
        server = Server(arguments.program, {"strict": STRICT})
        clients = [threading.Thread(target=client) for _ in range(16)]
        [thread.start() for thread in clients]
        time.sleep(0.1 + 0.01 * turn)
        codes.add(server.end())
        [thread.join() for thread in clients]
    yield {"run": "SIGTERM under load", "requests": total, "exit codes": sorted(codes)}


def ppocr(arguments):
    if not arguments.ppocr:
        return
    count, seen = max(int(64 * arguments.scale), 16), []
    bodies = []
    for seed in range(count):
        output = {"prompt": 'a sign "OPEN"', "image": base64.b64encode(big(256, seed)).decode()}
        bodies.append(json.dumps({"reward": "read", "requests": [output], "evidence": True}).encode())
    for threads in (1, 16):
        server, evidence = Server(arguments.program, {"read": READ}), {}

        def check(number, answer, wrong):
            evidence[number] = [one["evidence"] for one in answer["results"][0]["evidence"]]

        result = load(server, bodies, count, threads, check=check)
        seen.append(evidence)
        yield {"run": f"ppocr, {threads} at a time", **result, "evidence as before": evidence == seen[0]}
        server.end()


RUNS = {run.__name__: run for run in (small, batches, large, crowd, faults, drain, ppocr)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("runs", nargs="*", metavar="RUN", choices=[[], *RUNS], default=[])
    parser.add_argument("--ppocr", action="store_true", help="also the run that needs the OCR models")
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    for name in arguments.runs or RUNS:
        for result in RUNS[name](arguments):
            print(json.dumps(result, ensure_ascii=False), flush=True)
