// Package netref is the Go side of objects that live at the peer: what RPyC calls netrefs (rpyc.core.netref,
// rpyc.utils.helpers). An [Object] is a handle on one; everything done with it is a request.
//
// # How each thing is said
//
// In these tables o, p and f are objects, l a list, d a dict, s a set, g a generator, v and w objects with operators, m
// a context manager and e a *vinegar.Error, all of the peer's; squares is an iter.Seq and channel a channel of ours.
//
//	Python                                Go: attributes and calls
//	x = o.name                            x, err := netref.Get[string](ctx, o, "name")
//	o.name = "desk"                       o.Set(ctx, "name", "desk")
//	del o.size                            o.Del(ctx, "size")
//	x = getattr(o, "nothing", 0)          x, err := netref.GetOr(ctx, o, "nothing", 0)
//	x = hasattr(o, "name")                x, err := o.Has(ctx, "name")
//	x = dir(o)                            x, err := o.Dir(ctx)
//	x = o.__doc__                         x, err := o.Doc(ctx)
//	x = o.add(1, 2)                       x, err := netref.Call[int](ctx, o, "add", 1, 2)
//	add = o.add                           add, err := netref.Get[func(a, b int) (int, error)](ctx, o, "add")
//	x = o.greet("Ann", punct="?")         x, err := netref.Call[string](ctx, o, "greet", "Ann", netref.Kw("punct", "?"))
//	x = o.total(*numbers)                 x, err := netref.Call[int](ctx, o, "total", numbers...)
//	x = o.shape(**options)                x, err := netref.Call[any](ctx, o, "shape", netref.KwArgs(options))
//	x = f(3, by=4)                        x, err := netref.CallFunc[int](ctx, f, 3, netref.Kw("by", 4))
//	a, b = o.pair()                       ab, err := netref.Call[[2]any](ctx, o, "pair")
//	o.touch()                             o.CallMethod(ctx, "touch")
//
//	Python                                Go: items
//	x = l[0]                              x, err := netref.Item[int](ctx, l, 0)
//	l[0] = 9                              l.SetItem(ctx, 0, 9)
//	del l[0]                              l.DelItem(ctx, 0)
//	x = l[1:3]                            x, err := netref.Item[[]int](ctx, l, netref.Slice(1, 3))
//	x = l[::-1]                           x, err := netref.Item[[]int](ctx, l, netref.Slice(nil, nil, -1))
//	l[0:2] = [7]                          l.SetItem(ctx, netref.Slice(0, 2), []int{7})
//	del l[1:]                             l.DelItem(ctx, netref.Slice(1))
//	x = d["a"]                            x, err := netref.Item[int](ctx, d, "a")
//	x = 2 in l                            x, err := l.Contains(ctx, 2)
//	x = len(l)                            x, err := l.Len(ctx)
//
//	Python                                Go: what an object is
//	x = bool(o)                           x, err := o.Bool(ctx)
//	x = int(o)                            x, err := o.Int(ctx)
//	x = float(o)                          x, err := o.Float(ctx)
//	x = complex(o)                        x, err := o.Complex(ctx)
//	x = operator.index(o)                 x, err := o.Index(ctx)
//	x = bytes(o)                          x, err := o.Bytes(ctx)
//	x = str(o)                            x, err := o.Str(ctx)
//	x = repr(o)                           x, err := o.Repr(ctx)
//	x = format(o, ">9")                   x, err := o.Format(ctx, ">9")
//	x = hash(o)                           x, err := o.Hash(ctx)
//	x = o.__class__                       x, err := o.Type(ctx)
//	x = isinstance(v, cls)                x, err := v.IsInstance(ctx, cls)
//	x = isinstance(l, list)               x := l.ClassName() == "builtins.list"
//
//	Python                                Go: operators
//	x = o is p                            x := o.Is(p)
//	x = v == w                            x, err := v.Equal(ctx, w)
//	x = v < w                             x, err := netref.Op[bool](ctx, v, "<", w)
//	x = v + w                             x, err := netref.Op[*netref.Object](ctx, v, "+", w)
//	x = 10 - v                            x, err := netref.Op[*netref.Object](ctx, 10, "-", v)
//	v += w                                v, err := netref.Op[*netref.Object](ctx, v, "+=", w)
//	x = divmod(v, 2)                      x, err := netref.Op[[2]*netref.Object](ctx, v, "divmod", 2)
//	x = -v                                x, err := netref.Unary[*netref.Object](ctx, "-", v)
//	x = abs(v)                            x, err := netref.Unary[int](ctx, "abs", v)
//
//	Python                                Go: iteration and copies
//	for x in g:                           for x, err := range netref.Iter[int](ctx, g) {
//	for x in rpyc.buffiter(l):            for x, err := range netref.Items[int](ctx, l) {
//	x = next(g)                           x, ok, err := netref.Next[int](ctx, g)
//	x = list(l)                           x, err := netref.As[[]int](ctx, l)
//	x = dict(d)                           x, err := netref.As[map[string]int](ctx, d)
//	x = list(d.items())                   x, err := netref.Pairs[string, int](ctx, d)
//	x = set(s)                            x, err := netref.As[map[int]struct{}](ctx, s)
//	x = [list(row) for row in rows]       x, err := netref.As[[][]int](ctx, rows)
//	x = obtain(deep)                      x, err := netref.Fetch(ctx, deep)
//
//	Python                                Go: blocks, asynchronous calls and exceptions
//	with m as x:                          err := netref.With(ctx, m, func(x string) error {
//	r = rpyc.async_(o.add)(1, 2)          r, err := o.CallMethodAsync(ctx, "add", 1, 2)
//	x = r.value                           x, err := netref.Await[int](ctx, r)
//	x = r.ready                           x := r.Ready()
//	rs = [add(i, 1) for i in range(9)]    for i := range xs { b.Call(&xs[i], o, "add", i, 1) }
//	xs = [r.value for r in rs]            err := b.Do(ctx)
//	r = rpyc.timed(o.add, 5)(1, 2)        ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
//	except KeyError as e:                 if errors.Is(err, vinegar.KeyError) {
//	x = e.args                            x := e.Args
//	x = e.code                            x, _ := e.Attr("code")
//	x = e._remote_tb                      x := e.Traceback
//
//	Python                                Go: objects of ours
//	x = o.apply(lambda n: n * 2, 21)      x, err := netref.Call[int](ctx, o, "apply", func(n int) int { return n * 2 }, 21)
//	x = o.each(n * n for n in range(4))   x, err := netref.Call[[]int](ctx, o, "each", squares)
//	x = o.each(iter([3, 4]))              x, err := netref.Call[[]int](ctx, o, "each", channel)
//	x = o.each([1, 2])                    x, err := netref.Call[[]int](ctx, o, "each", []int{1, 2})
//	x = o.look(Mine())                    x, err := o.CallMethod(ctx, "look", &Mine{Name: "mine"})
//
// In these, add is an async_ and b a [Batch]. Where a T is not known beforehand, the methods [Object.Get],
// [Object.Call], [Object.CallMethod], [Object.Item], [Object.Iter], [Object.BuffIter], [Object.With] and
// [AsyncResult.Wait] give values as they are received. [Bind] makes
// a struct of typed funcs of an object. A "del o", when the last reference is gone, is nothing in Go, or
// [Object.Release] at once; [Object.Keep] is for objects that have to stay although no variable refers to them.
//
// # Values
//
// What travels by value arrives in the forms of package brine: int64 or *big.Int, string, []byte, brine.Tuple and so
// on. What travels by reference arrives as *Object, or, if it was an object of ours, as the Go value it was. [As],
// [Assign] and the generic functions convert both to Go types, to any depth; [Fetch] copies containers of any kind.
// None of this needs pickling, or more than a peer allows by default, but that attributes must be readable for us.
//
// Arguments may be any Go value: see package exposed for what the peer gets to see. Funcs become callables, iterators
// and channels generators, and *Object of the same connection are the peer's own objects again.
//
// # Errors
//
// What the peer raised is a *vinegar.Error, with its class, arguments, attributes and the text of its traceback, in
// which the exceptions that caused it are; errors.Is compares with classes (vinegar.KeyError) and with Go's own errors
// where they say the same (fs.ErrNotExist). A value that does not fit its Go type is a *[ConvertError], which says
// where it is:
//
//	orders: result[3]["price"]: cannot use str as float64: 'cheap'
//
// # Contexts
//
// A context bounds the waiting, not the call at the peer. One without a deadline gets the connection's default timeout,
// for each request that a conversion or an iteration makes. In a handler, pass its context on: see package protocol.
package netref
