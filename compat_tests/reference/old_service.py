"""The service of test_old_releases.py, for any Python from 2.7 on: ``old_service.py`` prints READY host port."""
import sys

import rpyc
from rpyc.utils.server import ThreadedServer


class Box(object):
    def __init__(self, value):
        self.value = value

    def exposed_get(self):
        return self.value

    def __len__(self):
        return 3

    def __eq__(self, other):
        return other == 3

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return 7

    def __str__(self):
        return "a box"

    def __enter__(self):
        return self.value

    def __exit__(self, kind, value, traceback):
        return False


class OldService(rpyc.Service):
    def exposed_add(self, a, b):
        return a + b

    def exposed_items(self):
        return [1, 2, (3, True, None, 1.5)]

    def exposed_table(self):
        return {1: 10, 2: [20]}

    def exposed_call(self, function, n):
        return function(n) + 1

    def exposed_fail(self):
        raise ValueError("bad", 3)

    def exposed_missing(self):
        raise OSError(2, "No such file or directory")

    def exposed_box(self, value):
        return Box(value)

    def exposed_count(self, n):
        for i in range(n):
            yield i

    def exposed_words(self):
        return {"k": "v"}, ["a", "b"], {"Name": "n", "Count": 2}

    def exposed_shout(self, word, more, counts):
        return (word + "".join(more) + "".join(counts)).upper()

    def exposed_read(self, path):
        with open(path) as f:
            return f.read()

    def exposed_total(self, numbers):
        return sum(numbers)

    def exposed_keywords(self, a, b=5):
        return a * 10 + b


if __name__ == "__main__":
    server = ThreadedServer(OldService, hostname="127.0.0.1", port=0)
    server.listener.listen(server.backlog)  # before it is ready; start() does so again
    sys.stdout.write("READY 127.0.0.1 %d\n" % server.port)
    sys.stdout.flush()
    server.start()
