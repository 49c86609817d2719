package conform

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// lab starts CPython's servers of the reference service with a deliberate defect, one at a time.
type lab struct {
	in    io.WriteCloser
	lines *bufio.Scanner
}

func newLab(t *testing.T) *lab {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	cmd := exec.Command(python, filepath.Join("testdata", "mutants.py"),
		filepath.FromSlash("../../../compat_tests/reference"))
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	})
	return &lab{in, bufio.NewScanner(out)}
}

// start gives the options for checking a server with a defect; false if the installed RPyC has no such place.
func (l *lab) start(t *testing.T, defect string) (Options, bool) {
	_, err := fmt.Fprintln(l.in, defect)
	require.NoError(t, err)
	require.True(t, l.lines.Scan(), "no answer about %s", defect)
	words := strings.Fields(l.lines.Text())
	port := words[len(words)-1]
	return Options{Dialect: wire.FamilyD, Open: func(ctx context.Context, other string) (net.Conn, error) {
		if other == "" {
			other = port
		}
		return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", other))
	}}, words[0] == "READY"
}

// defects are those of testdata/mutants.py with a check that finds each. The first few are tried by default, and all of
// them if GORPYC_TEST_DEFECTS is set.
var defects = []struct{ defect, found string }{
	{"int length", "brine.shortest"},
	{"del takes one", "references.released_is_gone"},
	{"setattr by getattr's rule", "attributes.gadget_set_denied"},
	{"traceback without cause", "exceptions.cause"},
	{"disconnect twice", "events.disconnect_after_close"},
	{"flag two", "frames.flag"},
	{"int one too many", "brine.none"},
	{"immediate ints not used", "brine.shortest"},
	{"bytes length", "brine.shortest"},
	{"tuple length", "brine.shortest"},
	{"float as single", "brine.float_tiny"},
	{"minus zero", "brine.float_minus_zero"},
	{"complex swapped", "brine.complex"},
	{"complex conjugate", "brine.complex"},
	{"bool as int", "brine.true"},
	{"text in latin", "brine.str_latin"},
	{"text stripped of nul", "brine.str_nul"},
	{"text without bom", "brine.str_bom"},
	{"text as bytes", "brine.none"},
	{"empty bytes are none", "brine.bytes_empty"},
	{"tuple of four", "brine.int32_bounds"},
	{"slice loses step", "brine.slice"},
	{"frozenset is tuple", "brine.frozenset_empty"},
	{"ellipsis is none", "brine.ellipsis"},
	{"notimplemented is none", "brine.notimplemented"},
	{"frozenset by reference", "brine.frozenset_empty"},
	{"complex by reference", "brine.complex"},
	{"no newline", "frames.newline"},
	{"only flag one", "frames.any_flag_is_compressed"},
	{"compressed without flag", "frames.long_plain"},
	{"long frames out of order", "frames.long_plain"},
	{"sequence as int", "frames.split_anywhere"},
	{"reply twice", "messages.once"},
	{"malformed ends it", "messages.malformed_is_answered"},
	{"tuples by reference", "callbacks.repr_of_our_object"},
	{"everything item by item", "boxing.byvalue"},
	{"identity of ours lost", "boxing.our_object_comes_back"},
	{"proxies not cached", "calls.same_ours"},
	{"count not kept in step", "references.ours_twice_in_a_message"},
	{"count doubled", "references.count"},
	{"del takes nothing", "references.released_is_gone"},
	{"del takes all", "references.counts_add_up"},
	{"one reference too many", "references.released_is_gone"},
	{"one reference too few", "references.counts_add_up"},
	{"class ids", "values.many_class"},
	{"inspect of everything", "service.inspect_lists_no_data"},
	{"ping answers none", "brine.false"},
	{"close is not heeded", "close.ends_the_connection"},
	{"repr is str", "handlers.repr_of_text"},
	{"str is repr", "handlers.str"},
	{"cmp is identity", "handlers.cmp_less"},
	{"hash is id", "handlers.hash_of_int"},
	{"dir is sorted away", "handlers.dir"},
	{"dir is a list", "handlers.dir"},
	{"keywords lost", "callbacks.call_with_keywords"},
	{"keywords sorted", "calls.shape"},
	{"inspect without docs", "service.inspect_doc"},
	{"delattr by getattr's rule", "attributes.gadget_delete_denied"},
	{"callattr without policy", "handlers.callattr_denied"},
	{"no check of names", "handlers.attribute_denied"},
	{"public is default", "handlers.attribute_denied"},
	{"prefix not found", "references.other_connections_know_nothing"},
	{"safe attributes unsafe", "handlers.contains"},
	{"another message", "handlers.attribute_denied"},
	{"existence leaks", "root.private_attribute"},
	{"bytes names refused", "handlers.attribute_name_as_bytes"},
	{"services can be written", "root.set_denied"},
	{"aliases in small letters", "service.service_name"},
	{"pickle always", "attributes.pickle_denied"},
	{"pickle never", "attributes.list@pickle"},
	{"buffiter one short", "handlers.buffiter"},
	{"buffiter is a list", "handlers.buffiter"},
	{"with ignores exceptions", "events.context_left_by_exception"},
	{"with answers none", "events.context"},
	{"del of one takes two", "references.release_of_one"},
	{"hash of 32 bits", "handlers.hash_of_long_int"},
	{"repr cut short", "handlers.repr_of_long_text"},
	{"str cut short", "handlers.str_of_long_text"},
	{"cmp without errors", "handlers.cmp_unknown"},
	{"arguments turned around", "callbacks.call_with_many"},
	{"keywords of methods lost", "calls.shape_by_attribute"},
	{"inspect without bases", "objects.inspect_inherited"},
	{"inspect without metaclass", "attributes.class_can_be_called@all"},
	{"deletion never fails", "attributes.delete_twice@rw"},
	{"pickles of one protocol", "attributes.protocol_4@pickle"},
	{"slicing without fallback", "calls.slicing_without_end"},
	{"unknown label is none", "messages.malformed_is_answered"},
	{"instances of everything", "objects.is_no_instance"},
	{"slicing off by one", "handlers.slicing"},
	{"stop iteration in full", "exceptions.stop_is_short"},
	{"arguments as text", "handlers.unknown"},
	{"attributes lost", "exceptions.our_attributes_pass"},
	{"private attributes", "exceptions.private"},
	{"module lost", "exceptions.custom"},
	{"traceback empty", "exceptions.traceback"},
	{"traceback without frames", "exceptions.traceback"},
	{"traceback always", "exceptions.traceback_denied"},
	{"version always", "exceptions.version_denied"},
	{"version missing", "exceptions.version"},
	{"version of another", "exceptions.version"},
	{"our traceback lost", "exceptions.remote_traceback"},
	{"keyboard interrupt is sent", "exceptions.keyboard_interrupt_ends"},
	{"system exit is not sent", "exceptions.exit"},
	{"one service for all", "events.service_of_its_own"},
	{"disconnect unheard", "events.disconnect_after_close"},
}

const usualDefects = 6

func TestDefectsAreFound(t *testing.T) {
	lab := newLab(t)
	tried := defects
	if os.Getenv("GORPYC_TEST_DEFECTS") == "" {
		tried = tried[:usualDefects]
	}
	for _, d := range tried {
		o, there := lab.start(t, d.defect)
		if !there {
			continue // another release of RPyC, written in another way
		}
		o.Timeout = 3 * time.Second
		o.Only = []string{d.found}
		if isObserved(d.found) { // it is seen in what other checks make the server say
			o.Only = append(o.Only, "brine", "frames", "boxing", "references", "exceptions")
		}
		results, err := Run(t.Context(), o)
		require.NoError(t, err)
		var failed []string
		for _, r := range results {
			if r.State == Failed {
				failed = append(failed, r.ID)
			}
		}
		require.Contains(t, failed, d.found, "the defect %q", d.defect)
	}
}

func isObserved(id string) bool {
	for _, o := range observations {
		if o.id == id {
			return true
		}
	}
	return false
}

func TestCPythonIsClean(t *testing.T) {
	o, _ := newLab(t).start(t, "none")
	results, err := Run(t.Context(), o)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, r := range results {
		require.Contains(t, []State{Passed, Skipped}, r.State, "%s: %s", r.ID, r.Detail)
		require.False(t, seen[r.ID], "%s is there twice", r.ID)
		seen[r.ID] = true
	}
	require.Greater(t, Counts(results)[Passed], 500)
}

func TestReports(t *testing.T) {
	results := []Result{
		{ID: "brine.none", Clause: "brine", Level: Core, State: Passed},
		{ID: "brine.zero", Clause: "brine", Level: Core, State: Failed, Detail: "want 0, got <1>"},
		{ID: "ping.echo", Clause: "ping", Level: Text, State: Failed, Detail: "no answer"},
		{ID: "ping.long", Clause: "ping", Level: Core, State: Passed},
	}
	path := filepath.Join(t.TempDir(), "known")
	require.NoError(t, os.WriteFile(path, []byte("# of this release\n\nping.echo # too slow\nping.long\n"), 0o600))
	known, err := ReadKnown(path)
	require.NoError(t, err)
	for i, r := range results {
		results[i] = known.Apply(r)
	}
	var b bytes.Buffer
	require.NoError(t, WriteText(&b, results, false))
	require.Equal(t, `brine                1 passed, 1 failed
  failed  brine.zero: want 0, got <1>
ping                 1 known, 1 fixed
  known   ping.echo (text): no answer (too slow)
  fixed   ping.long: is listed as known to fail
4 checks: 1 passed, 1 failed, 1 known, 1 fixed
`, b.String())

	b.Reset()
	require.NoError(t, WriteJUnit(&b, "it", results))
	var suite struct {
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testcase"`
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &suite))
	require.Equal(t, []int{1, 1, 4}, []int{suite.Failures, suite.Skipped, len(suite.Cases)})
	require.Equal(t, "want 0, got <1>", suite.Cases[1].Failure.Message)
	require.Equal(t, "brine/zero", suite.Cases[1].Class+"/"+suite.Cases[1].Name)

	b.Reset()
	require.NoError(t, WriteKnown(&b, results))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	again, err := ReadKnown(path)
	require.NoError(t, err)
	require.Len(t, again, 2)
	require.NoError(t, os.WriteFile(path, []byte("brine.nothing\n"), 0o600))
	_, err = ReadKnown(path)
	require.ErrorContains(t, err, "there is no check brine.nothing")
}

// A peer that says nothing, or hangs up, fails checks and ends none of this program.
func TestPeersThatAreNone(t *testing.T) {
	for name, answer := range map[string]func(net.Conn){
		"silent":  func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"hung up": func(c net.Conn) { _ = c.Close() },
		"garbage": func(c net.Conn) { _, _ = c.Write(bytes.Repeat([]byte{0xff}, 100)) },
	} {
		results, err := Run(t.Context(), Options{Dialect: wire.FamilyD, Timeout: 50 * time.Millisecond,
			Only: []string{"ping", "close"}, Open: func(context.Context, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go answer(theirs)
				return ours, nil
			}})
		require.NoError(t, err)
		require.Equal(t, len(results)-Counts(results)[Skipped], Counts(results)[Failed], name)
	}
}
