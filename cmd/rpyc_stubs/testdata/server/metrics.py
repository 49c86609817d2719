import logging
import statistics
import threading
import time
from collections import Counter, defaultdict
from functools import lru_cache, total_ordering, wraps

import rpyc

log = logging.getLogger(__name__)
logging.basicConfig(level=logging.INFO)
START = time.time()
WINDOW: int = 60 * 60


def timed(f):
    @wraps(f)
    def wrapper(*args, **kwargs):
        begin = time.time()
        try:
            return f(*args, **kwargs)
        finally:
            log.info("%s took %f", f.__name__, time.time() - begin)
    return wrapper


class Base(object):
    exposed_kind = "none"
    unit = ""

    def __init__(self, name):
        self.exposed_name = name

    def exposed_describe(self):
        return "%s %s" % (self.exposed_kind, self.exposed_name)

    def reset(self):
        raise NotImplementedError


class LockMixin(object):
    def __init__(self):
        self.lock = threading.RLock()

    def locked(self):
        return self.lock


@total_ordering
class Gauge(Base, LockMixin):
    exposed_kind = "gauge"

    def __init__(self, name, value=0.0):
        Base.__init__(self, name)
        LockMixin.__init__(self)
        self._value = value

    @property
    def exposed_value(self):
        """What it shows."""
        return self._value

    @exposed_value.setter
    def exposed_value(self, value):
        if value < 0:
            raise ValueError("negative: %r" % value)
        self._value = value

    @exposed_value.deleter
    def exposed_value(self):
        self._value = 0.0

    def reset(self):
        del self.exposed_value

    def __lt__(self, other):
        return self._value < other._value

    def __float__(self):
        return float(self._value)


class Histogram(Base):
    exposed_kind = "histogram"

    def __init__(self, name, *buckets):
        super().__init__(name)
        self.exposed_buckets = buckets
        self._values = defaultdict(list)

    def exposed_observe(self, value, labels=()):
        self._values[labels].append(value)

    exposed_add = exposed_observe

    def _get_count(self):
        return sum(map(len, self._values.values()))

    exposed_count = property(_get_count)

    @lru_cache(maxsize=None)
    def exposed_quantile(self, q=0.5):
        return statistics.quantiles(sum(self._values.values(), []))[int(q * 4) - 1]


class MetricsService(rpyc.Service):
    """Metrics of a program."""
    exposed_Gauge = Gauge
    exposed_Histogram = Histogram
    _all = {}
    counts = Counter()

    @timed
    def exposed_register(self, metric):
        self._all[metric.exposed_name] = metric
        return len(self._all)

    def exposed_snapshot(self):
        return {name: m.exposed_describe() for name, m in self._all.items()}

    def exposed_uptime(self):
        return time.time() - START

    if hasattr(time, "monotonic"):
        def exposed_clock(self):
            return time.monotonic()
    else:
        def exposed_clock(self):
            return time.time()


class AdminService(rpyc.Service):
    ALIASES = ["admin"]

    def exposed_reset(self, confirm):
        MetricsService._all.clear()
        return confirm


class TokenAuthenticator:
    def __call__(self, sock):
        return sock, None


if __name__ == "__main__":
    from rpyc.utils.server import ThreadedServer
    threading.Thread(target=ThreadedServer(AdminService, port=18867, authenticator=TokenAuthenticator()).start).start()
    ThreadedServer(MetricsService, port=18866, protocol_config={"allow_setattr": True, "allow_delattr": True}).start()
