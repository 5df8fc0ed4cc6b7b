import hashlib, json, re, struct, decimal, fractions, itertools, functools, collections, datetime, random, zlib, math, os, subprocess, sys, base64, textwrap, heapq, bisect
print(sum(x * x for x in range(1000)), 2 ** 200, 7 ** -2, divmod(-7, 3), 0.1 + 0.2, 1e308 * 10, round(2.675, 2))
print(json.dumps({"b": [1, 2.5, None, True, "é\u2603"], "a": {"x": -0.0}}, sort_keys=True), json.loads('[1e3, "\\u00e9"]'))
print(hashlib.sha256(b"python" * 1000).hexdigest(), hashlib.blake2b(b"x", digest_size=8).hexdigest(), zlib.crc32(b"abc"), len(zlib.compress(b"ab" * 5000)))
print(re.sub(r"(\w+)@(\w+)\.com", r"\2 at \1", "joe@example.com, ann@site.com"), re.findall(r"(?P<y>\d{4})-(\d\d)", "2024-05 and 1999-12"))
print(struct.pack(">IhfdQ", 1, -2, 1.5, math.pi, 2 ** 63).hex(), struct.unpack("<3H", b"\1\0\2\0\3\0"), sys.byteorder if False else "order")
decimal.getcontext().prec = 40; print(decimal.Decimal(2).sqrt(), fractions.Fraction(1, 3) + fractions.Fraction(3, 7), math.comb(60, 30), math.gcd(2 ** 40, 6 ** 20))
print(collections.Counter("mississippi").most_common(3), list(itertools.permutations("abc", 2)), functools.reduce(lambda a, b: a * b, range(1, 15)))
random.seed(42); print([random.randint(0, 99) for _ in range(8)], random.random(), random.sample(range(50), 5), random.gauss(0, 1))
print(datetime.datetime.fromtimestamp(1700000000, datetime.timezone.utc).isoformat(), (datetime.date(2024, 3, 1) - datetime.date(2023, 12, 25)).days)
def gen(n):
    a, b = 0, 1
    for _ in range(n): yield a; a, b = b, a + b
print(list(gen(20)), max(gen(300)), "".join(sorted("determinism")), f"{3.14159:>10.3f}|{255:#06x}|{1234567:,}|{'x':^7}|")
class V:
    def __init__(s, *c): s.c = c
    def __add__(s, o): return V(*(a + b for a, b in zip(s.c, o.c)))
    def __repr__(s): return f"V{s.c}"
print(V(1, 2) + V(3, 4.5), textwrap.fill("the quick brown fox jumps over the lazy dog " * 2, 30))
h = [5, 1, 8, 3]; heapq.heapify(h); print([heapq.heappop(h) for _ in range(4)], bisect.bisect([1, 3, 5], 4), base64.b85encode(b"bytes!"))
r, w = os.pipe(); pid = os.fork()
if pid == 0: os.write(w, b"from the child"); os._exit(9)
os.close(w); print(os.read(r, 100), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), subprocess.run(["/bin/sh", "-c", "echo sub; exit 4"], capture_output=True).stdout)
try: [][1]
except IndexError as e: print(type(e).__name__, e)
n = 60; q = lambda r, c=(), d=(), s=(): 1 if r == 7 else sum(q(r + 1, c + (x,), d + (r - x,), s + (r + x,)) for x in range(7) if x not in c and r - x not in d and r + x not in s); print(q(0))
