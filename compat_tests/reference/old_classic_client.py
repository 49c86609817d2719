"""A classic client for any Python from 2.7 on: ``old_classic_client.py HOST PORT`` prints what it sees."""
import os
import shutil
import sys
import tempfile

import rpyc


def show(name, operation):
    sys.stdout.write("%s %r\n" % (name, operation()))


def copied(conn):
    directory = tempfile.mkdtemp()
    try:
        local, remote, back = (os.path.join(directory, name) for name in ("local", "remote", "back"))
        with open(local, "wb") as f:
            f.write(b"0123456789" * 20000)
        rpyc.classic.upload(conn, local, remote)
        rpyc.classic.download(conn, remote, back)
        with open(back, "rb") as f:
            return f.read() == b"0123456789" * 20000
    finally:
        shutil.rmtree(directory)


def packaged(conn):
    directory = tempfile.mkdtemp()
    try:
        with open(os.path.join(directory, "module.py"), "w") as f:
            f.write("answer = 42\n")
        os.mkdir(os.path.join(directory, "tree"))
        shutil.copy(os.path.join(directory, "module.py"), os.path.join(directory, "tree"))
        rpyc.classic.upload(conn, os.path.join(directory, "tree"), os.path.join(directory, "there"))
        return sorted(conn.modules.os.listdir(os.path.join(directory, "there"))) == ["module.py"]
    finally:
        shutil.rmtree(directory)


def written(conn):
    directory = tempfile.mkdtemp()
    try:
        name = os.path.join(directory, "f")
        f = conn.builtin.open(name, "w")
        f.write("one\ntwo\n")
        f.close()
        with conn.builtin.open(name) as f:
            lines = [line for line in f]
        return lines == ["one\n", "two\n"] and conn.modules.os.stat(name).st_size == 8
    finally:
        shutil.rmtree(directory)


def raised(operation, *kinds):
    try:
        operation()
    except kinds as e:
        return getattr(e, "errno", None)


def printed(conn):
    class Out(list):
        def write(self, text):
            self.append(text)

        def flush(self):
            pass
    kept, sys.stdout = sys.stdout, Out()
    try:
        with rpyc.classic.redirected_stdio(conn):
            conn.execute("import sys\nsys.stdout.write('here\\n')")
        return "".join(sys.stdout)
    finally:
        sys.stdout = kept


PROGRAM = """
def divide(x):
    try:
        return 10 // x
    except ZeroDivisionError:
        return -1
"""


def main(host, port):
    conn = rpyc.classic.connect(host, int(port))
    show("eval", lambda: conn.eval("1 + 1"))
    show("execute", lambda: conn.execute("x = [1, 2, 3]"))
    show("namespace", lambda: list(conn.namespace["x"]))
    show("obtain", lambda: rpyc.classic.obtain(conn.namespace["x"]))
    show("module", lambda: conn.modules.os.path.join("a", "b") == "a/b")
    show("by name", lambda: conn.modules["os.path"].basename("a/b") == "b")
    show("call", lambda: conn.modules.os.getpid() > 0)
    show("files", lambda: copied(conn))
    show("tree", lambda: packaged(conn))
    show("open", lambda: written(conn))
    conn.execute(PROGRAM)
    show("function", lambda: [conn.namespace["divide"](n) for n in (5, 0)])
    conn.namespace["double"] = lambda n: n * 2
    show("callback", lambda: conn.eval("double(21)"))
    conn.namespace["ours"] = [3, 1, 2]
    show("our list", lambda: conn.eval("sum(ours) + len(ours)"))
    show("no file", lambda: raised(lambda: conn.modules.os.listdir("/no/such"), OSError))
    show("no name", lambda: raised(lambda: conn.eval("nothing"), NameError))
    show("no module", lambda: raised(lambda: conn.modules.no_such_module, ImportError, AttributeError))
    show("output", lambda: printed(conn) == "here\n")
    show("program", lambda: conn.modules.subprocess.Popen(["echo", "x"], stdout=-1).communicate()[0] == b"x\n")
    # what starts a Python may prepend to it
    show("environment", lambda: os.environ["PATH"].endswith(conn.modules.os.environ["PATH"]))
    show("json", lambda: conn.modules.json.loads('[1, "b"]')[0])
    show("walk", lambda: [root for root, _, _ in conn.modules.os.walk("/etc")]
         == [root for root, _, _ in os.walk("/etc")])
    show("buffiter", lambda: sum(rpyc.buffiter(conn.eval("iter(range(100))"))))
    show("items", lambda: sorted(conn.eval("{1: 2, 3: 4}").items()))
    show("deliver", lambda: sum(rpyc.classic.deliver(conn, [1, 2, 3])))
    conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
