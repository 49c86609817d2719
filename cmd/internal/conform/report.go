package conform

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
)

// Counts is how many results there are of each state.
func Counts(results []Result) map[State]int {
	n := map[State]int{}
	for _, r := range results {
		n[r.State]++
	}
	return n
}

// WriteText writes a line for each clause and one for each result that is not as it should be; all of them if all is
// set.
func WriteText(w io.Writer, results []Result, all bool) error {
	out := bufio.NewWriter(w)
	var clauses []string
	of := map[string][]Result{}
	for _, r := range results {
		if of[r.Clause] == nil {
			clauses = append(clauses, r.Clause)
		}
		of[r.Clause] = append(of[r.Clause], r)
	}
	for _, c := range clauses {
		fmt.Fprintf(out, "%-20s %s\n", c, summary(Counts(of[c])))
		for _, r := range of[c] {
			if r.State == Failed || r.State == Known || r.State == Fixed || all {
				fmt.Fprintf(out, "  %-7s %s", r.State, r.ID)
				if r.Level != Core {
					fmt.Fprintf(out, " (%s)", r.Level)
				}
				if r.Detail != "" {
					fmt.Fprintf(out, ": %s", r.Detail)
				}
				fmt.Fprintln(out)
			}
		}
	}
	fmt.Fprintf(out, "%d checks: %s\n", len(results), summary(Counts(results)))
	return out.Flush()
}

func summary(n map[State]int) string {
	var parts []string
	for _, s := range []State{Passed, Failed, Known, Fixed, Skipped} {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// WriteJUnit writes the results in the XML of JUnit, which CI systems read. A known failure counts as skipped, and one
// that is listed as known and is none, as passed.
func WriteJUnit(w io.Writer, name string, results []Result) error {
	type message struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *message `xml:"failure,omitempty"`
		Skipped *message `xml:"skipped,omitempty"`
	}
	type suite struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	n := Counts(results)
	s := suite{Name: name, Tests: len(results), Failures: n[Failed], Skipped: n[Skipped] + n[Known]}
	total := 0.0
	for _, r := range results {
		total += r.Seconds
		_, id, _ := strings.Cut(r.ID, ".")
		c := testcase{Class: r.Clause, Name: id, Time: fmt.Sprintf("%.6f", r.Seconds)}
		switch r.State {
		case Failed:
			c.Failure = &message{Message: r.Detail}
		case Known:
			c.Skipped = &message{Message: "known: " + r.Detail}
		case Skipped:
			c.Skipped = &message{Message: r.Detail}
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = fmt.Sprintf("%.6f", total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// KnownFailures are the names of checks that are known to fail, with the reasons given for them.
type KnownFailures map[string]string

// ReadKnown reads a file of known failures: the name of a check in each line, and maybe a # and the reason. It is an
// error if there is no check of a name.
func ReadKnown(path string) (KnownFailures, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	names := Names()
	known := KnownFailures{}
	for n, line := range strings.Split(string(text), "\n") {
		name, reason, _ := strings.Cut(line, "#")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !names[name] {
			return nil, fmt.Errorf("%s:%d: there is no check %s", path, n+1, name)
		}
		known[name] = strings.TrimSpace(reason)
	}
	return known, nil
}

// Names are those of all checks.
func Names() map[string]bool {
	names := map[string]bool{}
	for _, c := range checks() {
		names[c.id] = true
	}
	for _, o := range observations {
		names[o.id] = true
	}
	return names
}

// Apply marks a result by what is known.
func (k KnownFailures) Apply(r Result) Result {
	reason, listed := k[r.ID]
	switch {
	case listed && r.State == Failed:
		r.State = Known
		if reason != "" {
			r.Detail += " (" + reason + ")"
		}
	case listed && r.State == Passed:
		r.State, r.Detail = Fixed, "is listed as known to fail"
	}
	return r
}

// WriteKnown writes a file that ReadKnown reads, of what has failed.
func WriteKnown(w io.Writer, results []Result) error {
	for _, r := range results {
		if r.State != Failed && r.State != Known {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s # %s\n", r.ID, strings.Join(strings.Fields(r.Detail), " ")); err != nil {
			return err
		}
	}
	return nil
}
