# -*- coding: utf-8 -*-
import rpyc, sys, time
from rpyc.utils.server import ThreadedServer

class ToolError(StandardError):
    pass

class Calc:
    def exposed_div(self, a, b, exact=False):
        try:
            if exact: return a / float(b)
            else: return a / b
        except ZeroDivisionError, e:
            print "oops", e
            raise ToolError, "cannot divide"
    def exposed_each(self, f, items):
        for i in items: f(i)
    def exposed_pairs(self, (first, second), sep=u";"):
        return `first` + sep + `second`

class OldService(rpyc.Service):
    def on_connect(self):
        self.calcs = []
    def exposed_calc(self):
        c = Calc()
        self.calcs.append(c)
        return c
    def exposed_now(self): return time.time()
    def exposed_fact(self, n):
        r = 1L
        while n > 1: r *= n; n -= 1
        return r
    def exposed_print_all(self, **kw):
        for k, v in kw.iteritems():
            print >>sys.stderr, k, v
        exec "x = 1"
    exposed_version = (1, 2)
    exposed_long = 10L
    def exposed_walk(self, n=3):
        while n:
            yield n
            n -= 1

if __name__ == '__main__':
    t = ThreadedServer(OldService, port = 18868)
    t.start()
