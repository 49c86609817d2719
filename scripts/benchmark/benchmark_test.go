package main

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStacks has every client carry out its jobs with every server it can talk to, and little to do.
func TestStacks(t *testing.T) {
	tests := []struct {
		client, server string
		modes          []string
	}{
		{"raw", "raw", []string{"sync", "pipe64", "pipe64c", "conns", "conns500", "echo"}},
		{"netrpc", "netrpc", []string{"sync", "conc64", "conns", "echo"}},
		{"gorpyc", "gorpyc", []string{"sync", "callattr", "bound", "async64", "batch64", "conc2", "conc8", "conc64", "conns",
			"echo", "upload", "download", "connect", "asstruct", "dicts"}},
		{"gorpyc", "parallel", []string{"sync"}},
		{"prepared", "gorpyc", []string{"sync", "conc64", "conns", "idle"}},
		{"gorpyc", "canned", []string{"sync", "conc64", "connect"}},
		{"prepared", "canned", []string{"sync", "conc64"}},
	}
	for _, tt := range tests {
		for _, mode := range tt.modes {
			t.Run(tt.client+"-"+tt.server+"-"+mode, func(t *testing.T) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				require.NoError(t, err)
				served := make(chan error, 1)
				go func() { served <- serverStacks[tt.server](l) }()
				defer func() {
					require.NoError(t, l.Close())
					<-served
				}()
				j := job{Mode: mode, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, PID: os.Getpid(), N: 5, Size: 100_000}
				s, err := clientStacks[tt.client](j)
				require.NoError(t, err)
				require.GreaterOrEqual(t, s.N, j.N)
				require.Positive(t, s.Rate())
				require.Positive(t, s.Mean)
			})
		}
	}
}

// What is left of a plan keeps what it is compared to.
func TestOnlyKeepsAnchors(t *testing.T) {
	gs := only(plan(true), func(name string) bool { return name == "gorpyc>gorpyc/sync@same" })
	require.Len(t, gs, 1)
	require.Equal(t, "raw>raw/sync@same", gs[0].exps[0].String())
	require.Equal(t, "gorpyc>gorpyc/sync@same", gs[0].exps[1].String())
}

// The ratio of two experiments is taken within a turn, so that a machine that slows down between turns does not change
// it.
func TestRatioWithinTurns(t *testing.T) {
	raw := experiment{Client: "raw", Server: "raw", Mode: "sync", Placement: same}
	ours := experiment{Client: "gorpyc", Server: "gorpyc", Mode: "sync", Placement: same}
	r := newResults([]group{{exps: []experiment{raw, ours}}})
	for i, speed := range []float64{1, 10, 100} {
		r.add(0, i, set{raw: {N: 100, Seconds: 1 / speed}, ours: {N: 80, Seconds: 1 / speed}})
	}
	require.InDelta(t, 0.8, r.ratio(0, ours, raw, sample.Rate), 1e-9)
	js := r.judge()
	require.Len(t, js, 1)
	require.True(t, js[0].OK, js[0].String())
}

// None is a figure where collections are counted, and not what is missing.
func TestNoCollectionForced(t *testing.T) {
	list := experiment{Client: "python", Server: "largeheap", Mode: "bylist", Placement: free}
	r := newResults([]group{{exps: []experiment{list}}})
	judged := func() judge {
		js := r.judgeForced(list, 0)
		require.Len(t, js, 1)
		return js[0]
	}
	require.Contains(t, judged().String(), "not measured")
	r.add(0, 0, set{list: {N: 100, Seconds: 2}})
	require.True(t, judged().OK)
	require.Contains(t, judged().String(), "0.00  <= 0.00  ok")
	r.add(0, 1, set{list: {N: 100, Seconds: 2, Forced: 1}})
	require.False(t, judged().OK)
	require.InDelta(t, 0.25, judged().Value, 1e-9)
}
