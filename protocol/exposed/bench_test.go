package exposed_test

import (
	"testing"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// BenchmarkGetAttr is the first half of Python's conn.root.add(1, 2).
func BenchmarkGetAttr(b *testing.B) {
	c := &Calc{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := exposed.GetAttr(ctx, nil, c, "add"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCall is the second half: the method with encoded arguments.
func BenchmarkCall(b *testing.B) {
	m, err := exposed.GetAttr(ctx, nil, &Calc{}, "add")
	if err != nil {
		b.Fatal(err)
	}
	pos, err := brine.Marshal(brine.Tuple{1, 2})
	if err != nil {
		b.Fatal(err)
	}
	kw := []byte{0x02}
	b.ReportAllocs()
	for b.Loop() {
		var a exposed.Args
		a.SetRaw(pos, kw)
		if _, err := exposed.Call(ctx, m, &a); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallAttr(b *testing.B) {
	c := &Calc{}
	pos, err := brine.Marshal(brine.Tuple{7, 2})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var a exposed.Args
		a.SetRaw(pos, nil)
		if _, err := exposed.CallAttr(ctx, nil, c, "div", &a); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallKeywords(b *testing.B) {
	c := &Calc{}
	pos, _ := brine.Marshal(brine.Tuple{"Ann"})
	kw, err := brine.Marshal(brine.Tuple{brine.Tuple{"punct", "?"}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var a exposed.Args
		a.SetRaw(pos, kw)
		if _, err := exposed.CallAttr(ctx, nil, c, "greet", &a); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNext is one step of iterating over a list of ours.
func BenchmarkNext(b *testing.B) {
	it, err := exposed.CallAttr(ctx, nil, make([]int, b.N+1<<20), "__iter__", &exposed.Args{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		var a exposed.Args
		if _, err := exposed.CallAttr(ctx, nil, it, "__next__", &a); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkByValueObject(b *testing.B) {
	var v any = &Calc{}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := exposed.ByValue(v); ok {
			b.Fatal("an object has become a value")
		}
	}
}
