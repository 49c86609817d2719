package conform

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// settles pings until a condition holds, which something that the peer sends of itself makes true.
func (t *trial) settles(what string, holds func() bool) {
	for !holds() {
		v, err := t.ask(wire.HandlePing, "settle")
		if errors.Is(err, errTimeout) {
			t.failf("%s has not come about", what)
		}
		t.must(err)
		t.wants("ping", v, "settle")
	}
}

// balanced waits until the peer has given all of an object's references back, and no more than it had.
func (t *trial) balanced(o *object) {
	t.settles(fmt.Sprintf("the return of %d references of our %v", o.given, o.pack[0]), func() bool {
		return o.returned >= o.given
	})
	t.alive()
	if o.returned != o.given {
		t.failf("our %v was given %d times and came back %d times", o.pack[0], o.given, o.returned)
	}
}

func referenceChecks() []*check {
	return []*check{
		{id: "references.ours_are_given_back", level: Core, run: func(t *trial) {
			o := ourThing(t.peer)
			for range 5 {
				t.value(t.ask(wire.HandleRepr, o))
			}
			t.balanced(o)
		}},
		{id: "references.ours_of_builtin_class", level: Core, run: func(t *trial) {
			o := ourFunction(t.peer)
			t.value(t.ask(wire.HandleCall, o, tuple(), tuple()))
			t.balanced(o)
		}},
		{id: "references.ours_twice_in_a_message", level: Core, run: func(t *trial) {
			f, o := ourFunction(t.peer), ourThing(t.peer)
			v := t.value(t.ask(wire.HandleCall, f, tuple(o, o, tuple(o)), tuple()))
			if args := item(v, 0); item(args, 0) != any(o) || item(args, 1) != any(o) || item(item(args, 2), 0) != any(o) {
				t.failf("our object did not come back as itself: %s", short(v))
			}
			t.balanced(o)
		}},
		{id: "references.of_a_late_answer", level: Core, run: func(t *trial) {
			o := t.object("builtins.list")
			t.must(t.send(t.encode(wire.Reply, int64(779_779), t.box(o))))
			t.balanced(o)
		}},
		{id: "references.odd_ids_come_back", level: Core, families: "CD", run: func(t *trial) {
			big := power2(100)
			for _, pack := range []brine.Tuple{
				{"builtins.list", int64(-1), int64(-2)}, {"builtins.function", power2(63), power2(64)},
				{"builtins.list", int64(5), big},
			} {
				o := t.object("builtins.list")
				o.pack = pack
				t.objects[key(pack)] = o
				t.wants("our object", t.value(t.ask(wire.HandlePing, o)), o)
			}
		}},
		{id: "references.odd_counts_do_no_harm", level: Core, run: func(t *trial) {
			for _, n := range []any{int64(0), int64(-3), int64(5), power2(100), "x", nil, 1.5} {
				g := t.program()
				root := t.value(g.rootObject())
				_, err := drop(g, tuple(root, n))
				var r *raised
				if err != nil && !errors.As(err, &r) {
					t.failf("DEL with count %s: %v", short(n), err)
				}
			}
			t.alive()
		}},
		{id: "references.other_connections_know_nothing", level: Core, alone: true, service: true, run: func(t *trial) {
			g := t.program()
			l, err := g.run(mustParse("shared_list()"))
			t.must(err)
			stranger := t.open("")
			_, err = stranger.ask(wire.HandleRepr, l)
			t.raises("a reference of another connection", err, "KeyError")
		}},
		{id: "references.dropped_object_is_finalised", level: Core, service: true, run: func(t *trial) {
			tag := t.tag("final")
			g := t.program()
			g.vars["tag_"] = tag
			v := t.value(g.run(mustParse("x = tracked(tag_); ok = drop(x); x")))
			_, err := t.ask(wire.HandleRepr, v)
			t.raises("a released object", err, "KeyError")
			t.logged(g, "final:"+tag, 1)
		}},
		{id: "references.kept_while_held", level: Core, service: true, run: func(t *trial) {
			tag := t.tag("kept")
			g := t.program()
			g.vars["tag_"] = tag
			v := t.value(g.run(mustParse("x = tracked(tag_); ok = (echo(x), echo(x)); ok = drop(x, 2); x")))
			t.wants("name", t.value(t.ask(wire.HandleGetAttr, v, "name")), tag)
			if n := t.count(g, "final:"+tag); n != 0 {
				t.failf("the object was dropped while a reference was out")
			}
			t.value(drop(g, tuple(v)))
			t.logged(g, "final:"+tag, 1)
		}},
		{id: "references.dropped_generator_is_closed", level: Core, service: true, run: func(t *trial) {
			tag := t.tag("gen")
			g := t.program()
			g.vars["tag_"] = tag
			t.value(g.run(mustParse("x = count_up(5, tag_); ok = next(x); ok = drop(x); 1")))
			t.logged(g, "gen_closed:"+tag, 1)
		}},
		{id: "references.held_objects_come_back_later", level: Core, service: true, run: func(t *trial) {
			o := ourThing(t.peer)
			g := t.program()
			g.vars["o"] = o
			t.value(g.run(mustParse("hold(o)")))
			t.alive()
			if o.returned != 0 {
				t.failf("our object was given back while the service keeps it")
			}
			t.value(g.run(mustParse("release()")))
			t.balanced(o)
		}},
		{id: "references.arguments_are_given_back", level: Core, service: true, run: func(t *trial) {
			o := ourList(t.peer)
			g := t.program()
			g.vars["o"] = o
			for range 4 {
				t.wants("type", t.value(g.run(mustParse("echo_type(o)"))), "netref")
			}
			t.balanced(o)
		}},
	}
}

// tag is a name that nobody else uses.
func (t *trial) tag(what string) string {
	return fmt.Sprintf("conform-%s-%d-%d", what, t.deadline.UnixNano(), t.seq)
}

// count is how often the service has logged an event.
func (t *trial) count(g *program, event string) int {
	v := t.value(g.run(mustParse("events()")))
	events, ok := v.(brine.Tuple)
	if !ok {
		t.failf("events() is no tuple: %s", short(v))
	}
	n := 0
	for _, e := range events {
		if e == event {
			n++
		}
	}
	return n
}

// logged waits until the service has logged an event so often.
func (t *trial) logged(g *program, event string, times int) {
	t.settles("the event "+strings.TrimPrefix(event, "conform-"), func() bool { return t.count(g, event) >= times })
	if n := t.count(g, event); n != times {
		t.failf("%s was logged %d times, not %d", event, n, times)
	}
}
