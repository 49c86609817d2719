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
    conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
