package conform

import (
	"errors"
	"math/big"
	"regexp"
	"strings"

	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func power2(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

// mustParse parses statements of the tables' language.
func mustParse(source string) []syntax.Stmt {
	f, err := (&syntax.FileOptions{}).Parse("check", source, 0)
	if err != nil {
		panic("conform: " + err.Error()) // it is part of the program
	}
	return f.Stmts
}

// exceptionOf is the exception that statements raise.
func (t *trial) exceptionOf(source string) *raised {
	v, err := t.program().run(mustParse(source))
	var r *raised
	if err == nil {
		t.failf("%s: want an exception, got %s", source, short(v))
	}
	if !errors.As(err, &r) {
		t.failf("%s: %v", source, err)
	}
	return r
}

func (t *trial) attrs(r *raised, want map[string]any) {
	for name, v := range want {
		got, ok := r.attrs[name]
		if !ok {
			t.failf("the attribute %s of %s is missing", name, r.class())
		}
		t.wants("attribute "+name, got, v)
	}
}

func exceptionChecks() []*check {
	text := func(id string, level Level, service bool, endpoint, source, pattern string) *check {
		re := regexp.MustCompile(pattern)
		return &check{id: id, level: level, service: service, endpoint: endpoint, defaults: true, run: func(t *trial) {
			if r := t.exceptionOf(source); !re.MatchString(r.text) {
				t.failf("the text of %s has nothing like %s: %q", r.class(), pattern, r.text)
			}
		}}
	}
	const anyError = "request(99)"
	return []*check{
		text("exceptions.traceback", Core, false, "", anyError, `^Traceback \(most recent call last\):\n`),
		text("exceptions.last_line", Core, false, "", anyError, `\nKeyError: 99\n?$`),
		text("exceptions.remote_traceback", Core, false, "", "callraw(our_failure, ('ValueError', 'deep'), ())",
			`(?s)Traceback.*========= Remote Traceback \(1\) =========\n.*in callback`),
		{id: "exceptions.version", level: Core, defaults: true, run: func(t *trial) {
			v, _ := t.exceptionOf(anyError).attrs["_remote_version"].(string)
			if !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(v) {
				t.failf("_remote_version is %q, no N.N.N", v)
			}
			major := map[*wire.Dialect]string{wire.FamilyC: "45", wire.FamilyD: "6", wire.FamilyE: "7"}[t.Dialect]
			if !strings.Contains(major, v[:1]) {
				t.failf("_remote_version is %q, which is not a release of this family of the protocol", v)
			}
		}},
		{id: "exceptions.stop_is_short", level: Core, run: func(t *trial) {
			if r := t.exceptionOf("callraw(our_failure, ('StopIteration',), ())"); !r.stop {
				t.failf("StopIteration is not sent as 1")
			}
		}},
		{id: "exceptions.our_attributes_pass", level: Core, run: func(t *trial) {
			f := answering(t.peer, nil, &failure{class: "ValueError", args: tuple("x"), attrs: tuple(tuple("extra", int64(5)))})
			_, err := t.ask(wire.HandleCall, f, tuple(), tuple())
			t.raises("our exception", err, "ValueError", "x")
			var r *raised
			errors.As(err, &r)
			t.attrs(r, map[string]any{"extra": int64(5)})
		}},
		text("exceptions.service_function_named", Text, true, "", "fail('zero')", `(?s)File ".*", line \d+, in exposed_fail`),
		text("exceptions.service_last_line", Core, true, "", "fail('zero')", `\nZeroDivisionError: division by zero\n?$`),
		text("exceptions.custom_last_line", Text, true, "", "fail('custom')",
			`\nbehaviour_service\.ServiceError: it broke\n?$`),
		text("exceptions.cause", Text, true, "", "fail('chain')",
			`(?s)KeyError: 'inner'\n\nThe above exception was the direct cause of the following exception:\n\n.*ValueError: outer`),
		text("exceptions.callback_text", Core, true, "", "call(our_failure, 'ValueError', 'bad')",
			`(?s)^Traceback.*========= Remote Traceback \(1\) =========\n.*in callback`),
		text("exceptions.traceback_denied", Core, true, "quiet", "fail('zero')", `^<traceback denied>$`),
		{id: "exceptions.version_denied", level: Core, service: true, endpoint: "quiet", run: func(t *trial) {
			t.attrs(t.exceptionOf("fail('zero')"), map[string]any{"_remote_version": "<version denied>"})
		}},
		{id: "exceptions.args_when_quiet", level: Core, service: true, endpoint: "quiet", run: func(t *trial) {
			t.wants("arguments", t.exceptionOf("fail('value')").args, tuple("bad value", int64(7), nil))
		}},
		{id: "exceptions.os_attributes", level: Core, service: true, run: func(t *trial) {
			t.attrs(t.exceptionOf("fail('os')"), map[string]any{"errno": int64(2), "filename": "/no/such/file",
				"strerror": "No such file or directory"})
		}},
		{id: "exceptions.unicode_attributes", level: Core, service: true, run: func(t *trial) {
			t.attrs(t.exceptionOf("fail('unicode')"), map[string]any{"encoding": "utf-8", "object": []byte("\xff\xfe"),
				"start": int64(0), "end": int64(1), "reason": "invalid start byte"})
		}},
		{id: "exceptions.custom_attributes", level: Core, service: true, run: func(t *trial) {
			r := t.exceptionOf("fail('custom')")
			t.attrs(r, map[string]any{"code": int64(42), "detail": "[1, 2]"})
			if _, sent := r.attrs["args"]; sent {
				t.failf("args is sent as an attribute as well")
			}
		}},
		{id: "exceptions.json_attributes", level: Core, service: true, run: func(t *trial) {
			t.attrs(t.exceptionOf("fail('json')"), map[string]any{"msg": "Expecting value", "doc": "{]", "pos": int64(1),
				"lineno": int64(1), "colno": int64(2)})
		}},
		{id: "exceptions.keyboard_interrupt_ends", level: Quirk, service: true, alone: true, run: func(t *trial) {
			_, err := t.program().run(mustParse("fail('kbi')"))
			var r *raised
			if errors.As(err, &r) || err == nil || errors.Is(err, errTimeout) {
				t.failf("KeyboardInterrupt must end the connection: %v", err)
			}
		}},
	}
}

func lifeChecks() []*check {
	return []*check{
		{id: "close.ends_the_connection", level: Core, alone: true, run: func(t *trial) {
			t.alive()
			_, err := t.start(wire.HandleClose)
			t.must(err)
			if !t.ended() {
				t.failf("the peer has not hung up after CLOSE")
			}
		}},
		{id: "close.before_anything_else", level: Core, alone: true, first: true, run: func(t *trial) {
			_, err := t.start(wire.HandleClose)
			t.must(err)
			if !t.ended() {
				t.failf("the peer has not hung up after CLOSE")
			}
		}},
		{id: "close.while_it_waits", level: Core, alone: true, run: func(t *trial) {
			f := ourFunction(t.peer)
			waiting := false
			t.hold = func(m message) bool { // our function is called, and never answers
				if item(m.body, 0) == int64(wire.HandleCall) {
					waiting = true
				}
				return waiting
			}
			_, err := t.start(wire.HandleCall, f, tuple(), tuple())
			t.must(err)
			for !waiting {
				t.must(t.step())
			}
			_, err = t.start(wire.HandleClose)
			t.must(err)
			if !t.ended() {
				t.failf("the peer has not hung up after CLOSE")
			}
		}},
		{id: "close.of_the_stream", level: Core, alone: true, run: func(t *trial) {
			t.alive()
			w, ok := t.stream.(interface{ CloseWrite() error })
			if !ok {
				return
			}
			t.must(w.CloseWrite())
			if !t.ended() {
				t.failf("the peer has not hung up at the end of the stream")
			}
		}},
		{id: "calls_under_way.served_while_it_waits", level: Core, run: func(t *trial) {
			f := t.function(func(p *peer, _ brine.Tuple, _ brine.Tuple) (any, error) {
				v, err := p.ask(wire.HandlePing, "inside")
				if err != nil || v != "inside" {
					t.failf("a ping while the peer waits for us: %v, %v", v, err)
				}
				return "done", nil
			})
			t.wants("the call", t.value(t.ask(wire.HandleCall, f, tuple(), tuple())), "done")
		}},
		{id: "calls_under_way.garbage_ends_only_its_connection", level: Core, alone: true, run: func(t *trial) {
			other := t.open("")
			for _, garbage := range [][]byte{
				framed([]byte{7, 7, 7}, 0, '\n'), framed([]byte("not zlib"), 1, '\n'), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
				framed(t.encode(wire.Kind(4), int64(1), tuple(int64(1), tuple(int64(1), tuple()))), 0, '\n'),
			} {
				p := t.open("")
				_ = p.write(garbage)
				_ = p.stream.Close()
			}
			t.wants("ping of another connection", t.value(other.ask(wire.HandlePing, "x")), "x")
			t.wants("ping of a new connection", t.value(t.open("").ask(wire.HandlePing, "y")), "y")
		}},
		{id: "calls_under_way.in_order_of_arrival", level: Core, service: true, run: func(t *trial) {
			f := t.value(t.program().run(mustParse("root.bump")))
			var seqs []int64
			for range 30 {
				seq, err := t.start(wire.HandleCall, f, tuple(), tuple())
				t.must(err)
				seqs = append(seqs, seq)
			}
			var first int64
			for i, seq := range seqs {
				n, _ := t.value(t.wait(seq)).(int64)
				if i == 0 {
					first = n
				}
				t.wants("bump", n, first+int64(i))
			}
		}},
		{id: "calls_under_way.connections_in_parallel", level: Core, service: true, alone: true, run: func(t *trial) {
			sleeping := t.value(t.program().run(mustParse("root.sleep_echo")))
			_, err := t.start(wire.HandleCall, sleeping, tuple(t.Timeout.Seconds()*2, "slept"), tuple())
			t.must(err)
			t.wants("ping of another connection", t.value(t.open("").ask(wire.HandlePing, "x")), "x")
		}},
		{id: "calls_under_way.background_calls", level: Core, service: true, run: func(t *trial) {
			var got brine.Tuple
			f := t.function(func(_ *peer, args brine.Tuple, _ brine.Tuple) (any, error) {
				got = append(got, args...)
				return nil, nil
			})
			g := t.program()
			g.vars["f"] = f
			t.wants("tick", t.value(g.run(mustParse("tick(f, 3, 0)"))), nil)
			t.settles("three calls in the background", func() bool { return len(got) >= 3 })
			t.wants("the arguments", got, tuple(int64(0), int64(1), int64(2)))
		}},
		{id: "events.disconnect_after_close", level: Core, service: true, alone: true,
			run: func(t *trial) { t.disconnects(true) }},
		{id: "events.disconnect_after_lost_socket", level: Core, service: true, alone: true,
			run: func(t *trial) { t.disconnects(false) }},
		{id: "events.context", level: Core, service: true, run: func(t *trial) { t.contexts(false) }},
		{id: "events.context_left_by_exception", level: Core, service: true, run: func(t *trial) { t.contexts(true) }},
		{id: "events.generator_at_its_end", level: Core, service: true, run: func(t *trial) {
			tag := t.tag("end")
			g := t.program()
			g.vars["tag_"] = tag
			t.wants("items", t.value(g.run(mustParse("items(count_up(2, tag_))"))), tuple(int64(0), int64(1)))
			t.logged(g, "gen_closed:"+tag, 1)
		}},
		{id: "events.service_of_its_own", level: Core, service: true, alone: true, run: func(t *trial) {
			t.wants("bump", t.value(t.program().run(mustParse("a = bump(); bump()"))), int64(2))
			other := &program{peer: t.open(""), vars: map[string]any{}}
			t.wants("bump of another connection", t.value(other.run(mustParse("bump()"))), int64(1))
		}},
		{id: "events.hang_up_socket", level: Core, service: true, alone: true, run: func(t *trial) { t.hangsUp("socket") }},
		{id: "events.hang_up_close", level: Core, service: true, alone: true, run: func(t *trial) { t.hangsUp("close") }},
	}
}

// disconnects checks that the service hears of a connection's end.
func (t *trial) disconnects(byClose bool) {
	tag := t.tag("gone")
	leaving := t.open("")
	g := &program{peer: leaving, vars: map[string]any{"tag_": tag}}
	t.value(g.run(mustParse("root.tag(tag_)")))
	if byClose {
		_, err := leaving.start(wire.HandleClose)
		t.must(err)
	} else {
		_ = leaving.stream.Close()
	}
	t.logged(t.program(), "disconnect:"+tag, 1)
}

func (t *trial) contexts(failing bool) {
	tag := t.tag("ctx")
	g := t.program()
	g.vars["tag_"] = tag
	c := t.value(g.run(mustParse("c = ctx(tag_); c")))
	t.wants("enter", t.value(g.run(mustParse("enter(c)"))), "entered:"+tag)
	t.wants("events", int64(t.count(g, "enter:"+tag)), int64(1))
	word, exc := "False", any(nil)
	if failing {
		word, exc = "True", t.object("builtins.type")
	}
	t.wants("leave", t.value(leave(g, tuple(c, exc))), false)
	t.logged(g, "exit:"+tag+":"+word, 1)
}

// hangsUp checks that the service can end the connection.
func (t *trial) hangsUp(how string) {
	g := t.program()
	g.vars["how"] = how
	_, err := g.run(mustParse("hang_up(how)"))
	var r *raised
	if err == nil || errors.As(err, &r) || errors.Is(err, errTimeout) {
		t.failf("want the end of the connection, got %v", err)
	}
}
