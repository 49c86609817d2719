// Package netref is the Go side of objects that live at the peer: what RPyC calls netrefs (rpyc.core.netref,
// rpyc.utils.helpers). An [Object] is a handle on one; everything done with it is a request.
//
//	Python                              Go
//	x = o.name                          x, err := netref.Get[T](ctx, o, "name"), o.Get
//	o.name = x                          err := o.Set(ctx, "name", x)
//	del o.name                          err := o.Del(ctx, "name")
//	x = o.method(1, k=2)                x, err := netref.Call[T](ctx, o, "method", 1, netref.Kw("k", 2)), o.CallMethod
//	x = o(1)                            x, err := netref.CallFunc[T](ctx, o, 1), o.Call
//	x = o[key]; o[key] = x; del o[key]  netref.Item[T], o.Item; o.SetItem; o.DelItem
//	o[1:3]                              o.Item(ctx, brine.Slice{Start: 1, Stop: 3})
//	item in o; len(o); bool(o)          o.Contains; o.Len; o.Bool
//	str(o); repr(o); hash(o); dir(o)    o.Str; o.Repr; o.Hash; o.Dir
//	o == x; o < x                       o.Equal; o.Compare(ctx, "__lt__", x)
//	o is x                              o.Is(x)
//	for x in o:                         for x, err := range o.Iter(ctx)
//	for x in rpyc.buffiter(o):          for x, err := range netref.Items[T](ctx, o), o.BuffIter
//	list(o), dict(o)                    netref.As[[]T](ctx, o), netref.As[map[K]V](ctx, o)
//	with o as x: ...                    err := o.With(ctx, func(x any) error { ... })
//	r = rpyc.async_(o.method)(1)        r, err := o.CallMethodAsync(ctx, "method", 1)
//	r.value; r.ready                    netref.Await[T](ctx, r), r.Wait; r.Ready
//	del o                               nothing, or o.Release()
//
// # Values
//
// What travels by value arrives in the forms of package brine: int64 or *big.Int, string, []byte, brine.Tuple and so on.
// What travels by reference arrives as *Object, or, if it was an object of ours, as the Go value it was. [As], [Assign] and
// the generic functions convert both to Go types.
//
// Arguments may be any Go value: see package exposed for what the peer gets to see. Funcs become callables, and *Object of
// the same connection are the peer's own objects again.
package netref
