#!/usr/bin/env python3
"""How much the reward server bears. The exact observer of the miniature world isolates the server; client and server
share the machine.

    CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo build
    python3 benches/rewards.py target/debug/unigauge [RUN …] [--ppocr] [--scale 0.1]

Prints one JSON object a run: requests and pictures a second, the median and the 99th percentile of the seconds of a
request, statuses, and the server's largest memory. Runs: small, batches, large, crowd, faults, drain, ppocr. `large`
needs Pillow for its JPEGs. `--scale` shortens all runs.
"""
import argparse, base64, http.client, json, os, random, signal, socket, struct, subprocess, sys, tempfile, threading, time, zlib

SHAPES, COLOURS = ("circle", "square", "triangle"), {"red": (230, 30, 30), "green": (30, 170, 30), "blue": (40, 60, 230)}
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


def png(width, height, pixel, level=1):
    """A picture whose pixel at (x, y) is `pixel(x, y)`, three numbers."""
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in pixel(x, y)) for y in range(height))
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND", b"")


def square(seed):
    """32 × 32 pixels with a square, a noisy pixel of its own beside it, so that no two pictures are equal."""
    r = random.Random(seed)
    x0, y0, colour = r.randint(2, 20), r.randint(2, 20), r.choice(list(COLOURS.values()))
    tint = (250 + seed % 5, 250 + seed // 5 % 5, 250 + seed // 25 % 5)
    inside = lambda x, y: x0 <= x < x0 + 9 and y0 <= y < y0 + 9
    far = seed // 125 % 256
    return png(32, 32, lambda x, y: colour if inside(x, y) else (tint if x or y else (255, 255, far)))


def big(side, seed):
    """A picture of so many pixels a side; every second row is noise, which does not compress."""
    r = random.Random(seed)
    rows = b"".join(b"\0" + (r.randbytes(side * 3) if y % 2 else bytes(side * 3)) for y in range(side))
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def body(pictures, reward="strict"):
    expect = {"tag": "single_object", "include": [{"class": "square", "count": 1}]}
    outputs = [{"prompt": "a square", "image": base64.b64encode(p).decode(), "expect": expect} for p in pictures]
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
    seconds.sort()
    at = lambda share: round(seconds[min(int(len(seconds) * share), len(seconds) - 1)], 4)
    return {"requests a second": round(count / took, 1), "p50": at(0.5), "p99": at(0.99), "statuses": statuses, "wrong": wrong[:5]}


def all_right(number, answer, wrong):
    if any(result["reward"] is None for result in answer["results"]):
        wrong.append(str(answer)[:300])


def small(arguments):
    server = Server(arguments.program, {"strict": STRICT})
    bodies = [body([square(seed)]) for seed in range(2000)]
    for threads in (1, 8, 64, 256, 1024):
        count = max(int(10_000 * arguments.scale), threads)
        yield {"run": f"1 picture of 32², {threads} at a time", **load(server, bodies, count, threads, check=all_right), "MiB": server.memory()}
    server.end()


def batches(arguments):
    server = Server(arguments.program, {"strict": STRICT})
    bodies = [body([square(at * 64 + seed) for seed in range(64)]) for at in range(50)]
    count = max(int(500 * arguments.scale), 8)
    result = load(server, bodies, count, 8, check=all_right)
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
    bodies = [body([jpeg(seed)]) for seed in range(100)]
    yield {"run": "1 JPEG of 512², 64 at a time", **load(server, bodies, max(int(2000 * arguments.scale), 64), 64), "MiB": server.memory()}
    server.end()


def crowd(arguments):
    server = Server(arguments.program, {"strict": STRICT})
    files = [big(1024, seed) for seed in range(8)]
    clients = max(int(256 * arguments.scale), 4)
    bodies = [body([files[(at + seed) % 8] for seed in range(64)]) for at in range(4)]
    yield {"run": f"64 pictures of 1024² from {clients} clients at once", **load(server, bodies, clients, clients), "MiB": server.memory()}
    after = [body([square(seed)]) for seed in range(500)]
    yield {"run": "afterwards, 1 picture of 32², 8 at a time", **load(server, after, 1000, 8, check=all_right)}
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
        bodies.append(body([picture], "nothing" if kind == "unknown" else "strict"))
    faulty = {"truncated", "bomb"}

    def check(number, answer, wrong):
        result = answer["results"][0]
        told = result["errors"].get("reward", {}).get("kind")
        if (kinds[number] in faulty) != (told == "picture") or (kinds[number] == "good") != (result["reward"] is not None):
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
        for at in range(len(bodies) // 50):
            stream = socket.create_connection((server.host, server.port))
            head = f"POST /v1/rewards HTTP/1.1\r\nHost: h\r\nContent-Length: {len(bodies[at])}\r\n\r\n"
            stream.sendall(head.encode() + bodies[at])
            stream.close()

    others = [threading.Thread(target=drip) for _ in range(50)] + [threading.Thread(target=hang_up)]
    [thread.start() for thread in others]
    result = load(server, bodies, len(bodies), 32, check=check)
    [thread.join() for thread in others]
    expected = {kind: kinds.count(kind) for kind in ("good", "truncated", "bomb", "unknown")}
    yield {"run": "faults", **result, "expected": expected, "slow writers cut off": len(cut), "after at most": round(max(cut, default=0), 1)}
    server.end()


def drain(arguments):
    one, unanswered, codes, answered = body([square(1)]), 0, set(), 0
    request = f"POST /v1/rewards HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(one)}\r\n\r\n".encode() + one
    for turn in range(max(int(50 * arguments.scale), 2)):
        server, counts = Server(arguments.program, {"strict": STRICT}), []

        def client():
            done = 0
            while done < 100_000:
                try:
                    stream = socket.create_connection((server.host, server.port), timeout=60)
                    stream.sendall(request)
                    answer = b"".join(iter(lambda: stream.recv(65536), b""))
                except OSError:
                    return counts.append((done, 0))
                if answer.count(b"HTTP/1.1 200") != 1:
                    return counts.append((done, 1))
                done += 1

        clients = [threading.Thread(target=client) for _ in range(16)]
        [thread.start() for thread in clients]
        time.sleep(0.1 + 0.01 * turn)
        codes.add(server.end())
        [thread.join() for thread in clients]
        answered, unanswered = answered + sum(done for done, _ in counts), unanswered + sum(bad for _, bad in counts)
    yield {"run": "SIGTERM under load", "answered": answered, "not answered once": unanswered, "exit codes": sorted(codes)}


def ppocr(arguments):
    if not arguments.ppocr:
        return
    server = Server(arguments.program, {"read": READ})
    outputs = lambda seed: json.dumps({"reward": "read", "requests": [{"prompt": 'a sign "OPEN"', "image": base64.b64encode(big(256, seed)).decode()}]}).encode()
    count = max(int(64 * arguments.scale), 16)
    for at, threads in enumerate((1, 16)):
        bodies = [outputs(at * count + seed) for seed in range(count)]
        yield {"run": f"ppocr, {threads} at a time", **load(server, bodies, count, threads)}
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
