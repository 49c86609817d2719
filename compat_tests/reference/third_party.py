"""A program as they are found in the tests of others' projects: it starts rpyc_classic.py, connects, works on the far
machine as if it were the near one, and ends the server.  It knows nothing of Go, and is the same whoever is behind the
name rpyc_classic.py on PATH.

    third_party.py WAY DIRECTORY PORT

WAY is how the server is started, on a free port; what is done is printed, so that two servers can be compared.
"""
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

import rpyc

WAY, BASE, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])


def connect(attempts=600, **more):
    """Programs try again until the server is there."""
    while True:
        try:
            return rpyc.classic.connect("localhost", PORT, **more)
        except OSError:
            attempts -= 1
            if not attempts:
                raise
            time.sleep(0.05)


class Shell:
    """Started in the background by a shell, found again by its command line."""

    def start(self):
        subprocess.check_call("nohup rpyc_classic.py --host 0.0.0.0 --port %d > %s/nohup.txt 2>&1 &" % (PORT, BASE),
                              shell=True)
        return connect()

    def stop(self):
        pid = subprocess.check_output(["pgrep", "-f", "rpyc_classic.py --host 0.0.0.0 --port %d" % PORT]).split()[0]
        os.kill(int(pid), signal.SIGTERM)


class Forking:
    """As in a container: all interfaces, a process for each client."""

    def start(self):
        self.process = subprocess.Popen(["rpyc_classic.py", "--port", str(PORT), "--host", "0", "--mode", "forking"],
                                        stderr=subprocess.DEVNULL)
        return connect()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Logging:
    """As in a service file: a log of its own, and little in it."""

    def start(self):
        self.process = subprocess.Popen(["rpyc_classic.py", "--host=127.0.0.1", "-p%d" % PORT, "-q", "--logfile",
                                         os.path.join(BASE, "log.txt")],
                                        stdout=subprocess.DEVNULL)
        return connect(keepalive=True)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


class ByPython:
    """Found by shutil.which and run by this Python, as classic.connect_subproc and test suites do that know where the
    script is."""

    def start(self):
        script = shutil.which("rpyc_classic.py")
        self.process = subprocess.Popen([sys.executable, script, "--mode=oneshot", "--host=localhost", "-p0"],
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout.readline().strip() == b"rpyc-oneshot"
        host, port = self.process.stdout.readline().strip().split(b"\t")
        return rpyc.classic.connect(host.decode(), int(port))

    def stop(self):
        self.process.communicate()


class Subprocess:
    """Over pipes: RPyC finds the script by itself."""

    def start(self):
        self.conn = rpyc.classic.connect_subproc()
        return self.conn

    def stop(self):
        self.conn.proc.wait(30)


def show(what, value):
    text = str(value).replace(BASE, "BASE")
    print("%s: %s" % (what, text))


def files(conn):
    m = conn.modules
    home = os.path.join(BASE, "far")

    def at(*names):
        return os.path.join(home, *names)
    m.os.makedirs(at("a", "b"))
    m.os.mkdir(at("c"), 0o700)
    m.os.mknod(at("a", "node"), 0o640 | stat.S_IFREG)
    m.os.utime(at("a", "node"), None)
    m.os.utime(at("a", "node"), (1000000000, 1000000000))
    show("mtime", int(m.os.stat(at("a", "node")).st_mtime))
    m.os.chmod(at("a", "node"), 0o600)
    show("mode", oct(m.os.stat(at("a", "node")).st_mode))
    with conn.builtins.open(at("a", "text"), "w") as f:
        show("written", f.write("line one\nline two\n"))
    f = conn.builtins.open(at("a", "text"), "r+")
    f.seek(5)
    show("read", f.read(3))
    f.seek(0)
    show("lines", [line for line in f])
    f.truncate(9)
    f.flush()
    f.close()
    show("closed", f.closed)
    with conn.builtins.open(at("a", "text"), "rb") as f:
        show("bytes", f.read())
    show("size", m.os.path.getsize(at("a", "text")))
    m.shutil.copy(at("a", "text"), at("c"))
    m.shutil.copytree(at("a"), at("tree"))
    m.os.rename(at("c", "text"), at("c", "renamed"))
    m.shutil.move(at("c", "renamed"), at("moved"))
    m.os.symlink("moved", at("link"))
    show("link", m.os.readlink(at("link")))
    show("walk", sorted((d, sorted(ds), sorted(fs)) for d, ds, fs in m.os.walk(home)))
    show("glob", sorted(m.glob.glob(at("*", "text"))))
    show("listdir", sorted(m.os.listdir(home)))
    show("exists", (m.os.path.exists(at("moved")), m["os.path"].isdir(at("moved")), m.os.path.islink(at("link"))))
    m.shutil.rmtree(at("tree"), ignore_errors=True, onerror=None)
    m.os.remove(at("link"))
    m.os.rmdir(at("c"))
    m.os.removedirs(at("a", "b"))
    for attempt in (lambda: m.os.remove(at("nothing")), lambda: m.os.rmdir(at("a")),
                    lambda: conn.builtins.open(at("no", "such"))):
        try:
            attempt()
        except EnvironmentError as error:
            show("refused", (type(error).__name__, error.errno))
    handle, path = m.tempfile.mkstemp(dir=home, prefix="x", suffix=".tmp")
    m.os.write(handle, b"temporary")
    m.os.close(handle)
    show("mkstemp", (os.path.dirname(path), open(path).read()))
    show("mkdtemp", m.os.path.isdir(m.tempfile.mkdtemp(dir=home)))


def copies(conn):
    near, far = os.path.join(BASE, "near"), os.path.join(BASE, "uploaded")
    os.makedirs(os.path.join(near, "sub"))
    data = bytes(bytearray(range(256))) * 2000
    for name in ("one.bin", os.path.join("sub", "two.bin")):
        with open(os.path.join(near, name), "wb") as f:
            f.write(data)
    rpyc.classic.upload(conn, near, far)
    show("far hash", conn.modules.hashlib.sha256(conn.builtins.open(os.path.join(far, "sub", "two.bin"),
                                                                    "rb").read()).hexdigest())
    rpyc.classic.download(conn, far, near + "2")
    show("same", open(os.path.join(near + "2", "one.bin"), "rb").read() == data)


def programs(conn):
    m = conn.modules
    show("call", m.subprocess.call(["true"]))
    show("check_output", m.subprocess.check_output(["echo", "a b"]))
    show("shell", m.subprocess.check_output("echo $((6 * 7)); exit 0", shell=True))
    process = m.subprocess.Popen(["cat"], stdin=m.subprocess.PIPE, stdout=m.subprocess.PIPE, stderr=m.subprocess.PIPE)
    show("communicate", tuple(process.communicate(b"through a cat")))
    show("returncode", process.returncode)
    process = m.subprocess.Popen(["sh", "-c", "echo out; echo err >&2; exit 3"], stdout=-1, stderr=-1)
    show("stdout", process.stdout.read())
    show("stderr", process.stderr.read())
    show("wait", process.wait())
    try:
        m.subprocess.check_call(["false"])
    except Exception as error:
        show("check_call", (type(error).__name__.split(".")[-1], error.returncode))
    sleeper = m.subprocess.Popen(["sleep", "100"])
    show("poll", sleeper.poll())
    sleeper.kill()
    show("killed", sleeper.wait())
    show("run", m.subprocess.run(["echo", "x"], stdout=-1, check=True).stdout)
    show("system", m.os.system("exit 0"))
    m.os.environ["THIRD_PARTY"] = "yes"
    show("environment", m.subprocess.check_output(["sh", "-c", "echo $THIRD_PARTY"]))
    show("which", m.shutil.which("sh") is not None)


def interpreter(conn):
    m = conn.modules
    conn._config["sync_request_timeout"] = 300
    show("platform", (m.sys.platform, m.os.name, m.os.sep))
    show("host", m.socket.gethostname() == m.platform.node())
    show("self", m.os.getpid() != os.getpid())
    m.sys.path.append("there")
    show("path", m.sys.path.pop(-1))
    m.sys.stderr.write("hello world\n")
    conn.execute("import time")
    conn.execute("import json, os\nnumbers = [n * n for n in range(5)]")
    show("eval", conn.eval("json.dumps(numbers)"))
    show("obtained", rpyc.classic.obtain(conn.eval("{'a': numbers, 'b': (1, 2.5, None)}")))
    show("namespace", (conn.namespace["numbers"][2], list(conn.namespace["numbers"])))
    conn.namespace["word"] = "given"
    show("given", conn.eval("word.upper()"))
    conn.execute("def double(x):\n    return 2 * x")
    show("function", conn.namespace["double"](21))
    show("callback", list(conn.builtins.map(lambda n: n + 1, [1, 2, 3])))
    show("builtins", (conn.builtins.sorted([3, 1, 2]), conn.builtins.len("four"), conn.builtins.max(4, 9)))
    delivered = rpyc.classic.deliver(conn, {"k": [1, 2]})
    show("delivered", (delivered["k"][1], isinstance(delivered, rpyc.BaseNetref)))
    result = rpyc.async_(m.time.sleep)(0.01)
    result.wait()
    show("async", (result.ready, result.value))
    began = m.time.time()
    show("clock", abs(began - time.time()) < 60)
    import io
    out = io.StringIO()
    before, sys.stdout = sys.stdout, out
    try:
        with rpyc.classic.redirected_stdio(conn):
            conn.execute("print('printed there')")
    finally:
        sys.stdout = before
    show("redirected", out.getvalue())
    for text in ("1 / 0", "no_such_name", "int('x')", "[][1]", "{}['k']"):
        try:
            conn.eval(text)
        except Exception as error:
            show("error", (type(error).__name__, isinstance(error,
                                                            (ArithmeticError, NameError, ValueError, LookupError))))
    try:
        m["no.such.module"]
    except ImportError as error:
        show("import", type(error).__name__)
    rows = []
    thread = rpyc.BgServingThread(conn)
    conn.namespace["tell"] = rows.append
    conn.execute("for n in range(3): tell(n)")
    thread.stop()
    show("told", rows)


def main():
    way = {"shell": Shell, "forking": Forking, "logging": Logging, "python": ByPython, "subproc": Subprocess}[WAY]()
    watchdog = threading.Timer(50, os._exit, [3])
    watchdog.daemon = True
    watchdog.start()
    conn = way.start()
    os.mkdir(os.path.join(BASE, "far"))
    for part in (files, copies, programs, interpreter):
        part(conn)
    conn.close()
    way.stop()
    print("done")


if __name__ == "__main__":
    main()
